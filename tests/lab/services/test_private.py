"""`lab.start(private=True)`, the Redis that it may kill, and workers with settings of their own."""

import pytest


def kill_and_restart():
    import contextlib
    import io

    import lab

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        lab.start(worker=False, private=True)
        seen = {"url": lab.redis.url}
        lab.redis.kill()
        try:
            lab.start()
        except lab.LabError as error:
            seen["said"] = str(error)
        lab.redis.start(appendonly=True)
        lab.start()
        seen["command"] = lab.redis.command
        try:
            lab.worker(settings={"no_such_setting": 1})
        except lab.LabError as error:
            seen["unknown"] = str(error)
        transport = {"visibility_timeout": 7}
        settings = {"broker_transport_options": transport, "worker_soft_shutdown_timeout": 2}
        settings["result_backend_thread_safe"] = True
        worker = lab.worker(1, settings=settings)
        seen["settings"] = worker.command.partition(" -- ")[2]
        lab.redis.kill()  # connections of before are gone, and a new worker is found ready all the same
        lab.redis.start()
        with lab.worker(1, queues="other"):
            from tasks import app

        worker.wait_for("it was back", lambda: app.control.ping([worker.node], timeout=1), timeout=30)
        conf = app.control.inspect([worker.node], timeout=5).conf()[worker.node]
    seen["conf"] = [conf["broker_transport_options"]["visibility_timeout"], conf["worker_soft_shutdown_timeout"]]
    seen["conf"].append(conf["result_backend_thread_safe"])
    seen["printed"] = printed.getvalue()
    return seen


def test_a_private_redis_may_be_killed_and_nobody_elses_is_touched(start_redis, place):
    other = start_redis()
    other.rpush("celery", "theirs")
    seen = place.witness(kill_and_restart, REDIS_URL=f"redis://127.0.0.1:{other.port}/0")
    assert str(other.port) not in seen["url"] + seen["printed"]
    assert other.lrange("celery", 0, -1) == [b"theirs"] and other.info("keyspace").keys() == {"db0"}
    assert "redis has ended. Run lab.redis.start()" in seen["said"]
    assert "--appendonly yes" in seen["command"]
    assert "no_such_setting" in seen["unknown"]
    assert seen["conf"] == [7, 2.0, True]
    as_typed = "'broker_transport_options=(dict){\"visibility_timeout\": 7}' worker_soft_shutdown_timeout=2"
    assert seen["settings"] == f"{as_typed} 'result_backend_thread_safe=(bool)True'"
    assert as_typed in " ".join(seen["printed"].replace("\\\n", " ").split())


def ask_for_redis():
    import lab

    lab.start(worker=False)
    try:
        return str(lab.redis)
    except lab.LabError as error:
        return str(error)


@pytest.mark.parametrize("named", [True, False])
def test_a_redis_of_others_is_not_the_labs_to_kill(named, start_redis, place):
    env = {"REDIS_URL": f"redis://127.0.0.1:{start_redis().port}/0"} if named else {}
    assert ("lab.start(private=True)" in place.witness(ask_for_redis, **env)) == named
