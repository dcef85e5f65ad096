"""`lab.proxy()`: a connection that can be cut without a word."""

import time

import psutil


def use_proxy():
    """What clients get through a proxy: before a cut, after it, and when the way is closed."""
    import contextlib
    import socket
    import time

    import redis

    import lab

    lab.start(worker=False, private=True)
    proxy = lab.proxy()

    def client(**options):
        return redis.Redis.from_url(proxy.url, socket_timeout=0.5, retry=None, **options)

    def says(one):
        try:
            return one.ping()
        except redis.TimeoutError:
            return "nothing"
        except redis.ConnectionError:
            return "closed"

    seen = {"url": proxy.url, "direct": lab.current().redis_url}
    old = client(single_connection_client=True)
    seen["before"] = says(old)
    raw = socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2].partition("/")[0])))
    raw.sendall(b"PING\r\n")
    seen["raw before"] = raw.recv(100).decode()
    proxy.cut()
    raw.sendall(b"SET cut 1\r\n")
    raw.settimeout(0.5)
    with contextlib.suppress(TimeoutError):
        seen["raw after"] = raw.recv(100).decode()  # an end would be an empty text
    seen["old"] = says(old)
    with redis.Redis.from_url(lab.current().redis_url) as direct:
        seen["arrived"] = direct.exists("cut")
        seen["open on the far side"] = len(direct.client_list()) >= 3
    seen["new"] = says(client())
    proxy.cut(also_new=True)
    seen["closed"] = says(client())
    proxy.mend()
    seen["mended"] = says(client())
    seen["runs"] = proxy.returncode is None
    lab.redis.stop()
    begin = time.monotonic()
    seen["redis is gone"] = says(client())
    seen["took"] = time.monotonic() - begin
    proxy.stop()
    seen["stopped"] = says(client())
    return seen


def test_it_passes_swallows_and_mends(shared_place):
    seen = shared_place.witness(use_proxy)
    assert seen["url"] != seen["direct"]
    assert seen["before"] is seen["new"] is seen["mended"] is seen["runs"] is True
    assert seen["raw before"] == "+PONG\r\n" and "raw after" not in seen
    assert seen["old"] == seen["closed"] == "nothing"
    assert seen["arrived"] == 0 and seen["open on the far side"]
    assert seen["redis is gone"] == seen["stopped"] == "closed" and seen["took"] < 5


def open_and_die():
    import os
    import signal

    import lab

    lab.start(worker=False, private=True)
    lab.proxy()
    os.kill(os.getpid(), signal.SIGKILL)


def test_it_ends_with_a_killed_kernel(place):
    assert place.run_lab(open_and_die).returncode == -9
    deadline = time.monotonic() + 20
    while place.processes() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [psutil.Process(each.pid).cmdline() for each in place.processes()]


def proxy_of_a_stranger():
    import lab

    lab.start(worker=False)
    refused = []
    for url in "redis://example.org:6379/0", "rediss://127.0.0.1:6379/0":
        try:
            lab.proxy(url)
        except lab.LabError as error:
            refused.append(str(error))
    return refused


def test_it_stands_before_the_labs_own_redis_alone(shared_place):
    refused = shared_place.witness(proxy_of_a_stranger)
    assert len(refused) == 2 and all("that the lab has started" in said for said in refused)
