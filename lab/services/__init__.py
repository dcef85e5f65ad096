"""Services that run: `lab.start()`, Redis, workers, the mock Facebook, and the keeper that ends them all.

May import: `basics`. Nothing here draws. Readers may look; a slip here leaves processes behind, so change with care.

    start           `lab.start()`: in which order all is found or started
    find            what runs already (named in the environment, in containers, workers), and whether it is the course's
    open_lab        the lab that is open, `current()`
    further         `lab.worker`, `lab.redis_server`, `lab.sentinel`, `lab.proxy`
    terminal        `lab.terminal`, `lab.empty_folder`: a reader's own project
    check           `lab.check_machine`
    worker          a Celery worker, a `Process`: whether it is ready, whether it is full (its errors: `process`)
    worker_options  its options for the command line
    redis_server    a Redis of the lab's own: `lab.redis`
    sentinel        a Sentinel of the lab's own, which watches such a Redis and its replica
    proxy           a proxy before a Redis, whose connections can be cut without a word
    proxy_script    the proxy's own program
    named_redis     the Redis that REDIS_URL names, and all that can be wrong with it
    redis_database  an empty database on it, emptied again
    facebook        `lab.fb`: how the notebooks reach the mock Facebook, which is the package `fake_fb`
    mail            `lab.mail`: the same for its mail server
    process         any process of the lab: waiting for it, with the end of its log where that fails; stopping it
    logs            how the end of a log is worded, with advice
    keeper          the kernel's side of the keeper, which ends all processes
    keeper_script   the keeper's own program
"""
