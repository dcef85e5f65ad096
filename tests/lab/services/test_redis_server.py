"""`lab.redis_server()`: a Redis that may be stopped, killed, frozen and started again."""

import signal

import psutil
import pytest


def use_servers():
    """Do to servers what may be done to them; note what each then holds."""
    import contextlib
    import io
    import time

    import redis

    import lab

    lab.start(worker=False)

    def client_of(server):
        return redis.Redis.from_url(server.url, socket_timeout=1, socket_connect_timeout=1)

    def count_after(end, **files):
        """How many of five items are there when the server was ended and started again, and at which address."""
        server = lab.redis_server(**files)
        url, pid = server.url, server.process.pid
        with client_of(server) as client:
            client.rpush("five", *range(5))
        server.wait_until_written()
        end(server)
        server.start()
        with client_of(server) as client:
            return {"left": client.llen("five"), "same": server.url == url, "new": server.process.pid != pid}

    seen = {
        f"{end}, {appendonly}": count_after(lambda server, end=end: getattr(server, end)(), appendonly=appendonly)
        for end in ("stop", "kill")
        for appendonly in (False, True)
    }
    seen["snapshots"] = {
        end: count_after(lambda server, end=end: getattr(server, end)(), snapshots=True)["left"]
        for end in ("stop", "kill")
    }

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        server = lab.redis_server()
    seen["printed"], seen["port"], seen["url"] = printed.getvalue(), server.port, server.url
    seen["main"] = lab.current().redis_url

    pid = server.process.pid
    server.start()
    seen["started twice"] = server.process.pid == pid

    server.freeze()
    begin = time.monotonic()
    try:
        client_of(server).ping()
    except redis.TimeoutError:
        seen["frozen for"] = time.monotonic() - begin
    server.thaw()
    seen["thawed"] = client_of(server).ping()

    server.freeze()
    server.stop()
    seen["stopped"] = [server.process.returncode]
    server.stop()
    server.kill()
    server.start()
    server.freeze()
    server.kill()
    seen["stopped"].append(server.process.returncode)
    try:
        lab.xray(server.url)
    except lab.LabError as error:
        seen["said"] = str(error)
    return seen


@pytest.fixture(scope="module")
def seen(shared_place):
    return shared_place.witness(use_servers)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_the_append_only_file_keeps_what_was_there(seen, end):
    assert seen[f"{end}, True"] == {"left": 5, "same": True, "new": True}


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_without_the_file_all_is_lost(seen, end):
    assert seen[f"{end}, False"] == {"left": 0, "same": True, "new": True}


def test_it_prints_its_command_line(seen):
    port = seen["port"]
    assert seen["printed"] == f"redis-server --port {port} --bind 127.0.0.1 --appendonly no --save ''\n"
    assert seen["url"] == f"redis://127.0.0.1:{port}/0" != seen["main"]


def test_a_running_one_is_not_started_again(seen):
    assert seen["started twice"]


def test_a_frozen_one_takes_connections_and_does_not_answer(seen):
    # Not refused: the client waits for its own time-out, of one second.
    assert 0.9 < seen["frozen for"] < 30
    assert seen["thawed"]


def test_a_frozen_one_can_be_stopped_and_killed(seen):
    assert seen["stopped"] == [0, -signal.SIGKILL]
    assert seen["said"] == "Redis can't be looked into (ConnectionError): is the server there started?"


def test_it_is_gone_with_the_kernel_even_if_frozen(open_kernel, all_gone):
    kernel = open_kernel()
    kernel.run("import sys; sys.path.insert(0, '..'); import lab; lab.start(worker=False)")
    kernel.run("runs = lab.redis_server(); frozen = lab.redis_server(appendonly=True); frozen.freeze()")
    pids = kernel.run("print(runs.process.pid, frozen.process.pid)").split()
    servers = [psutil.Process(int(pid)) for pid in pids]
    kernel.process.kill()
    assert not all_gone(servers, 3)


def test_snapshots_survive_a_stop_and_not_a_kill(seen):
    assert seen["snapshots"] == {"stop": 5, "kill": 0}
