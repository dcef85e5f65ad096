"""`lab.sentinel()`: a Sentinel that makes the replica the primary, and is gone with the kernel."""

import psutil
import pytest


def fail_over():
    """Kill a primary that a Sentinel watches; note who is the primary before and after, and who takes writes."""
    import contextlib
    import io
    import time

    import redis

    import lab

    lab.start(worker=False)
    primary, standby = lab.redis_server(), lab.redis_server()
    with redis.Redis.from_url(standby.url) as client:
        client.replicaof("127.0.0.1", primary.port)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        sentinel = lab.sentinel(primary, group="prints")
    seen = {"printed": printed.getvalue(), "url": sentinel.url, "port": sentinel.port, "before": "", "after": ""}

    def name():
        return {primary.port: "primary", standby.port: "standby"}[sentinel.primary_port]

    seen["before"] = name()
    with redis.Redis.from_url(primary.url) as client:
        client.set("key", "value")
        client.wait(1, 5000)
    primary.kill()
    end = time.monotonic() + 30
    while name() != "standby" and time.monotonic() < end:
        time.sleep(0.1)
    seen["after"] = name()
    with redis.Redis.from_url(standby.url, decode_responses=True) as client:
        seen["kept"] = client.get("key")
        seen["writes"] = client.set("other", "value")
    return seen


@pytest.fixture(scope="module")
def seen(shared_place):
    return shared_place.witness(fail_over)


def test_it_makes_the_replica_the_primary(seen):
    assert seen["printed"].splitlines()[-1].endswith(".conf --sentinel")
    assert seen["url"] == f"sentinel://127.0.0.1:{seen['port']}"
    assert (seen["before"], seen["after"]) == ("primary", "standby")
    assert seen["kept"] == "value" and seen["writes"]


def test_it_is_gone_with_the_kernel(open_kernel, all_gone):
    kernel = open_kernel()
    kernel.run("import sys; sys.path.insert(0, '..'); import lab; lab.start(worker=False)")
    kernel.run("import redis; primary, standby = lab.redis_server(), lab.redis_server()")
    kernel.run("redis.Redis.from_url(standby.url).replicaof('127.0.0.1', primary.port)")
    pid = kernel.run("sentinel = lab.sentinel(primary); print(sentinel.process.pid)").split()[-1]
    process = psutil.Process(int(pid))
    kernel.process.kill()
    assert not all_gone([process], 3)
