"""Records of what happened: which task ran when and where, what lies in Redis, who used the processor.

May import: `services`, `basics`. Nothing here draws. Readers may look: here is how Celery is observed. The plain
records (`run`, `xray`, `processor`, `labels`) import neither Redis nor Celery, so that `draw` can use them.

    run        a run as data: tasks, attempts, requests; `lab.phases`
    recorder   fills a run: listens to Celery's events and to its states in Redis
    labels     short names for tasks
    workflow   a canvas as data: its steps, what waits for what, and their states
    xray       an x-ray of Redis as data
    look       `lab.xray`: takes one
    commands   `lab.commands`: what Redis is told meanwhile, and by which process
    processor  who used the processor, as data; `lab.cores`
    workers    a worker's processes; `lab.memory`
"""
