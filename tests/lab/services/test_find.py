"""Services that are not the lab's own: those that variables name, those of Compose, those of strangers."""

import json
import os
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

PASSWORD = "correct-horse"
WRONG = "battery-staple"


@pytest.fixture(scope="module")
def guarded(start_redis):
    """A Redis with a password."""
    return start_redis("--requirepass", PASSWORD, password=PASSWORD)


@pytest.fixture(scope="module")
def facebook(start_facebook):
    return start_facebook()


def use_then_lose(server):
    """Open a lab on a named Redis, fetch, and let that Redis go away."""
    import os
    import signal
    import time

    import lab

    lab.start()
    opened = lab.current()
    from tasks import fetch_url

    answer = fetch_url.delay(f"{lab.fb.url}/v1/ada/photos?limit=1&latency=0").get(timeout=30)
    started = [process.name for process in opened.processes]
    os.kill(server, signal.SIGKILL)
    worker = opened.processes[-1]
    deadline = time.monotonic() + 30
    while "Cannot connect to redis" not in worker.log() and time.monotonic() < deadline:
        time.sleep(0.05)
    try:
        lab.watch("without Redis").__enter__()
        said = ""
    except lab.LabError as error:
        said = str(error)
    logs = {path.name: path.read_text() for path in opened.keeper.folder.glob("*.log")}
    return {"items": len(answer["data"]), "started": started, "logs": logs, "said": said}


def test_named_services_are_used_and_the_password_is_not_told(run_lab, start_redis, facebook):
    redis = start_redis("--requirepass", PASSWORD, password=PASSWORD)
    url = f"redis://:{PASSWORD}@127.0.0.1:{redis.port}/0"
    outcome = run_lab(use_then_lose, redis.server.process.pid, REDIS_URL=url, FAKE_FB_URL=facebook)
    assert outcome.returncode == 0, outcome.err
    first, second, third, *_ = outcome.out.splitlines()
    named = rf"127\.0\.0\.1:{redis.port}, named by REDIS_URL, database 1 for this notebook"
    assert re.fullmatch(rf"Redis     \w+ [\d.]+, {named}", first)
    assert second == f"Facebook  a mock at {facebook}, 0.3 s a call, named by FAKE_FB_URL"
    assert third.startswith("worker    celery -A tasks worker --concurrency 5 ")
    evidence = outcome.evidence
    assert (evidence["items"], evidence["started"]) == (1, ["worker"])
    assert "Cannot connect to redis" in evidence["logs"]["worker.log"]
    assert evidence["said"]
    assert PASSWORD not in outcome.out + outcome.err + json.dumps(evidence)


def try_all(cases, good):
    """Start the lab with one environment after the other; the last one is right."""
    import os

    import psutil

    import lab

    def attempt(variables):
        for name in ("REDIS_URL", "FAKE_FB_URL"):
            os.environ.pop(name, None)
        os.environ.update(variables)
        before = dict(os.environ)
        try:
            lab.start()
            said = ""
        except lab.LabError as error:
            said = str(error)
        except Exception as error:
            said = f"not a LabError: {error!r}"
        family = psutil.Process().children(recursive=True)
        left = [process.pid for process in family if process.status() != psutil.STATUS_ZOMBIE]
        return {"said": said, "clean": dict(os.environ) == before, "left": left}

    return [attempt(variables) for variables in [*cases, good]]


class Stranger(BaseHTTPRequestHandler):
    """A web server of another project: JSON that says nothing to us, a refusal, a page of HTML."""

    ANSWERS = {"/json/": (200, "[1]"), "/no/": (404, '{"detail": "Not Found"}'), "/html/": (200, "<html>")}

    def do_GET(self) -> None:
        status, body = self.ANSWERS.get(self.path, (200, "{}"))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def stranger():
    with ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def check_refusals(results, cases):
    for result, case in zip(results, cases, strict=True):
        assert result["said"], case
        assert not result["said"].startswith("not a LabError"), (case, result["said"])
        assert "\n" not in result["said"], case
        assert result["clean"], case
        assert not result["left"], case


@pytest.fixture(scope="module")
def good(inhabited):
    """A right environment, where even the worker runs already."""
    return inhabited[2]


def check_corrected(outcome, cases):
    """The last start was right; those before were refused, and told no secret."""
    assert outcome.returncode == 0, outcome.err
    *refused, accepted = outcome.evidence
    assert accepted["said"] == ""
    assert outcome.out.count("\n") == 3
    check_refusals(refused, cases)
    for secret in (PASSWORD, WRONG):
        assert secret not in outcome.out + outcome.err + json.dumps(outcome.evidence)


def test_wrong_addresses_are_told_and_can_be_corrected(run_lab, guarded, good):
    address = f"127.0.0.1:{guarded.port}"
    wrong = ["foo", "redis://127.0.0.1:1/0", f"redis://:{WRONG}@{address}/0", f"redis://{address}/0"]
    cases = [{"REDIS_URL": url} for url in wrong]
    # The Redis beside a wrong mock Facebook is a good one: that spares the time to start one.
    cases += [good | {"FAKE_FB_URL": url} for url in ("foo", "http://127.0.0.1:1", f"http://{address}")]
    outcome = run_lab(try_all, cases, good)
    check_corrected(outcome, cases)
    for result in outcome.evidence[: len(wrong)]:
        assert "REDIS_URL" in result["said"]


def test_other_web_servers_are_no_mock_facebook(run_lab, good, stranger):
    cases = [good | {"FAKE_FB_URL": f"{stranger}{path.rstrip('/')}"} for path in ("", *Stranger.ANSWERS)]
    check_corrected(run_lab(try_all, cases, good), cases)


OTHER = """
from celery import Celery
app = Celery("other", broker={url!r})
@app.task
def something_else(): pass
"""


@pytest.fixture(scope="module")
def inhabited(start_redis, facebook, tmp_path_factory, server_class):
    """One Redis, three databases: a worker of another project, one of ours too small, one of ours."""
    redis = start_redis()
    folder = tmp_path_factory.mktemp("workers")
    urls = [f"redis://127.0.0.1:{redis.port}/{database}" for database in range(3)]
    (folder / "other.py").write_text(OTHER.format(url=urls[0]))
    commands = [
        ["-A", "other", "worker", "--pool", "solo"],
        ["-A", "tasks", "worker", "--pool", "threads", "--concurrency", "2"],
        ["-A", "tasks", "worker", "--pool", "threads", "--concurrency", "5"],
    ]
    servers = []
    try:
        for url, command in zip(urls, commands, strict=True):
            environment = os.environ | {"REDIS_URL": url, "PYTHONPATH": str(folder), "TMPDIR": str(folder)}
            argv = [sys.executable, "-m", "celery", *command, "--loglevel", "INFO", "--without-mingle"]
            servers.append(server_class(folder / url[-1], argv, lambda: True, environment))
        for server in servers:
            server.wait_until(lambda server=server: " ready." in server.log.read_text())
        yield [{"REDIS_URL": url, "FAKE_FB_URL": facebook} for url in urls]
    finally:
        for server in servers:
            server.stop()


def test_a_worker_that_is_too_small_is_refused(run_lab, inhabited):
    _, small, _ = inhabited
    outcome = run_lab(try_all, [], small)
    check_refusals(outcome.evidence, [small])
    said = outcome.evidence[0]["said"]
    assert "2 processes" in said and "celery -A tasks worker --concurrency 5" in said


def test_beside_workers_of_another_project_the_lab_has_a_database_of_its_own(run_lab, inhabited):
    other, *_ = inhabited
    outcome = run_lab(try_all, [], other)
    assert outcome.evidence[0]["said"] == ""
    first, _, third, *_ = outcome.out.splitlines()
    assert first.endswith("named by REDIS_URL, database 3 for this notebook")
    assert third.startswith("worker    celery ")


def test_a_running_worker_is_used_and_none_started(run_lab, inhabited):
    *_, good = inhabited
    outcome = run_lab(try_all, [], good)
    assert outcome.evidence[0]["said"] == ""
    assert outcome.out.splitlines()[2] == "worker    1 already running, 5 processes"
    assert len(outcome.evidence[0]["left"]) == 1  # the keeper, and no worker


def just_open():
    import lab

    lab.start()


@pytest.mark.parametrize("beside", ["a mock Facebook", "a web server"])
def test_a_stranger_on_the_port_of_compose_sees_one_login_that_it_refuses(
    run_lab, start_redis, facebook, stranger, beside
):
    redis = start_redis()
    redis.set("celery", "theirs")
    redis.lpush("queue", "1", "2")
    before = {key: redis.dump(key) for key in redis.scan_iter()}
    redis.config_resetstat()
    server = facebook if beside == "a mock Facebook" else stranger
    outcome = run_lab(just_open, REDIS_PORT=str(redis.port), FAKE_FB_PORT=server.rpartition(":")[2])
    commands = redis.info("commandstats")
    assert outcome.returncode == 0, outcome.err
    assert outcome.out.count("private to this notebook") == 2
    assert str(redis.port) not in outcome.out
    assert commands.keys() - {"cmdstat_config|resetstat", "cmdstat_info"} == {"cmdstat_auth"}
    assert (commands["cmdstat_auth"]["calls"], commands["cmdstat_auth"]["failed_calls"]) == (1, 1)
    assert [(entry["reason"], entry["username"], entry["count"]) for entry in redis.acl_log()] == [
        ("auth", "celery-course", 1)
    ]
    assert {key: redis.dump(key) for key in redis.scan_iter()} == before


def test_the_services_of_compose_are_known_by_their_mark(run_lab, start_redis, facebook):
    redis = start_redis("--user", "celery-course", "on", ">celery-course", "-@all", "+ping")
    outcome = run_lab(just_open, REDIS_PORT=str(redis.port), FAKE_FB_PORT=facebook.rpartition(":")[2])
    assert outcome.returncode == 0, outcome.err
    first, second, third, *_ = outcome.out.splitlines()
    assert first.endswith(f", 127.0.0.1:{redis.port}, from docker compose, database 1 for this notebook")
    assert second == f"Facebook  a mock at {facebook}, 0.3 s a call, from docker compose"
    assert third.startswith("worker    celery ")
