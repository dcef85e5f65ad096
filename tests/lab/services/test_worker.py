"""`lab.worker()`: real workers, started and ended as the notebook says."""

import json
import re
import shlex
import subprocess

import pytest

from lab.basics.text import COLUMNS
from lab.services.worker import folded
from lab.services.worker_options import settings_arguments


def use_workers():
    """Start, ask, stop and kill workers; note what was seen."""
    import contextlib
    import io
    import signal
    import socket
    import time

    import psutil

    import lab

    lab.start()
    from tasks import app, fetch_url

    def children():
        """The processes that the lab's own worker and services do not account for."""
        keeper = psutil.Process(lab.current().keeper.pid)
        return {p.pid for p in keeper.children(recursive=True) if p.status() != psutil.STATUS_ZOMBIE}

    def said_by(call):
        before = children()
        try:
            call()
        except lab.LabError as error:
            return {"said": str(error), "left": sorted(children() - before)}
        except Exception as error:
            return {"said": f"not a LabError: {error!r}", "left": []}
        return {"said": "", "left": sorted(children() - before)}

    seen = {}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), lab.worker(concurrency=2, queues="two") as two:
        seen["pong"] = app.control.ping([two.node], timeout=10)
        seen["node"] = two.node
        parent, *pool = seen["pids"] = two.pids
        seen["parent of"] = sorted(p.pid for p in psutil.Process(parent).children())
        seen["log"] = two.log()
        # A warm shutdown: the task that runs is finished, and its result comes back.
        ticket = fetch_url.apply_async([f"{lab.fb.url}/v1/ada/photos?latency=1&limit=1"], queue="two")
        while not lab.fb.witness().in_flight:
            time.sleep(0.01)
    seen["printed"], seen["command"] = printed.getvalue(), two.command
    seen["stopped"] = two.returncode
    seen["finished"] = len(ticket.get(timeout=5)["data"])
    seen["left by stop"] = [pid for pid in [parent, *pool] if psutil.pid_exists(pid)]

    killed = lab.worker(concurrency=2, queues="two")
    seen["second node"], seen["second queue"] = killed.node, killed.queue
    victims = [psutil.Process(pid) for pid in killed.pids]
    with socket.create_server(("127.0.0.1", 0)) as silent:  # its task would wait for half a minute
        silent.settimeout(30)
        fetch_url.apply_async([f"http://127.0.0.1:{silent.getsockname()[1]}"], queue="two")
        with silent.accept()[0]:
            killed.kill()
            _, alive = psutil.wait_procs(victims, timeout=10)
    seen["killed"] = killed.returncode
    seen["left by kill"] = [p.pid for p in alive if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]

    more = {"prefetch_multiplier": 4, "without_gossip": True, "loglevel": "WARNING"}
    threads = lab.worker(concurrency=3, pool="threads", queues=["a", "b.c"], **more)
    stats = app.control.inspect([threads.node], timeout=10).stats()[threads.node]
    seen["threads"] = [stats["pool"]["max-concurrency"], threads.command]
    queues = app.control.inspect([threads.node], timeout=10).active_queues()[threads.node]
    seen["queues"] = sorted(queue["name"] for queue in queues)
    threads.signal(signal.SIGKILL, group=True)

    green = lab.worker(concurrency=1000, pool="gevent", queues="green")
    fetch_url.apply_async([f"{lab.fb.url}/v1/ada/photos?latency=0&limit=1"], queue="green").get(timeout=30)
    stats = app.control.inspect([green.node], timeout=10).stats()[green.node]
    seen["green"] = [stats["pool"]["max-concurrency"], green.command]
    green.kill()

    refused = [{"concurrency": n} for n in (0, -1, True, "5", 1000, 2.0)]
    refused += [{"concurrency": 1001, "pool": "gevent"}]
    refused += [{"pool": "nope"}, {"queues": ""}, {"queues": "a b"}, {"queues": ["a", 1]}]
    refused += [{"no_such_option": 1}, {"hostname": "mine"}]
    seen["refused"] = [[repr(options), said_by(lambda o=options: lab.worker(**o))] for options in refused]
    seen["died"] = said_by(lambda: lab.worker(include="no_such_module"))
    return seen


@pytest.fixture(scope="module")
def seen(shared_place):
    return shared_place.witness(use_workers)


def test_it_answers_and_names_its_processes(seen):
    assert list(seen["pong"][0]) == [seen["node"]]
    parent, *pool = seen["pids"]
    assert pool == sorted(pool) == seen["parent of"]
    assert len(pool) == 2 and parent not in pool
    assert f"{seen['node']} ready." in seen["log"]


def test_it_prints_its_command_line(seen):
    assert seen["printed"] == folded(seen["command"]) + "\n"
    assert seen["command"].startswith("celery -A tasks worker --concurrency 2 --queues two ")


# As long as those of the notebooks; the last option's end is in reach of the last column, or beyond.
COMMANDS = [
    *(f"celery -A tasks worker --queues {'q' * n} --loglevel INFO --hostname w@lab-{{}}" for n in range(1, 60)),
    "celery -A tasks worker --concurrency 1 --hostname w@lab-{}",
    "celery -A tasks worker --concurrency 1000 --pool gevent --queues shared,pair --include bulk --without-mingle "
    "--loglevel INFO --hostname shared@lab-{} -- 'result_backend_thread_safe=(bool)True' redis_max_connections=1000",
]


@pytest.mark.parametrize("start", ["", "worker    "])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_long_command_line_is_folded_as_a_shell_takes_it(command, start):
    for pid in ("1", "12345", "1234567"):
        text = folded(command.format(pid), start)
        assert all(len(line) <= COLUMNS for line in text.splitlines())
        assert text.startswith(start)
        assert all(re.match(rf" {{{len(start) + 4}}}(--|\S+=)", line) for line in text.splitlines()[1:])
        assert as_a_shell_reads(text.removeprefix(start)) == shlex.split(command.format(pid))
        # The outputs of two runs are compared, so a pid must not move a line's end.
        assert text.replace(f"lab-{pid}", "lab-{}") == folded(command.format("1234"), start).replace(
            "lab-1234", "lab-{}"
        )


def test_a_setting_that_is_a_dict_is_folded_inside():
    options = {"visibility_timeout": 1, "unacked_restore_interval": 0.5, "unacked_restore_throttle": 1}
    settings = settings_arguments({"broker_transport_options": options, "worker_prefetch_multiplier": 1})
    text = folded(f"celery -A tasks worker --hostname hasty@lab-1 -- {shlex.join(settings)}")
    assert max(map(len, text.splitlines())) <= COLUMNS
    *_, folded_dict, last = as_a_shell_reads(text)
    assert json.loads(folded_dict.removeprefix("broker_transport_options=(dict)")) == options
    assert last == "worker_prefetch_multiplier=1"


def as_a_shell_reads(text):
    words = subprocess.run(["sh", "-c", f"printf '%s\\0' {text}"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return words.split("\0")[:-1]


def test_stop_lets_the_running_task_finish(seen):
    assert seen["stopped"] == 0
    assert seen["finished"] == 1
    assert not seen["left by stop"]


def test_kill_takes_the_children_along(seen):
    assert seen["killed"] == -9
    assert not seen["left by kill"]
    assert seen["second node"] != seen["node"]  # another one, although its name was asked for twice
    assert seen["second queue"] == "two"


def test_threads_and_several_queues(seen):
    size, command = seen["threads"]
    assert size == 3
    assert "--pool threads --queues a,b.c --prefetch-multiplier 4 --without-gossip --loglevel WARNING " in command
    assert "INFO" not in command
    assert seen["queues"] == ["a", "b.c"]


def test_gevent_takes_a_thousand_greenlets(seen):
    size, command = seen["green"]
    assert size == 1000
    assert "--concurrency 1000 --pool gevent --queues green" in command


def test_bad_values_are_refused_and_start_nothing(seen):
    for options, result in seen["refused"]:
        assert " is " in result["said"] or "celery worker takes no --" in result["said"], options
        assert not result["said"].startswith("not a LabError"), (options, result)
        assert result["said"].count("\n") == 0, options
        assert not result["left"], options


def test_a_worker_that_dies_at_its_start_shows_its_log(seen):
    said = seen["died"]["said"]
    assert said.startswith("worker-2 ended (exit code 1) before it answered a ping. The log of worker-2 ends:")
    assert "No module named 'no_such_module'" in said
    assert not seen["died"]["left"]
