"""`lab.start()` opens a lab wherever it is called from, and as fast as a worker can boot."""

import re
import shutil
import sys

import pytest

ROOT_FILES = ("tasks.py", "celeryconfig.py", "requirements.txt")
ACCOUNT = re.compile(
    r"Redis     (Valkey|Redis) [\d.]+, 127\.0\.0\.1:\d+, private to this notebook\n"
    r"Facebook  a mock at http://127\.0\.0\.1:\d+, 2 s a call, private to this notebook\n"
    r"worker    celery -A tasks worker --concurrency 5 .* \\\n"
    r"              --hostname worker@lab-\d+\n"
)
DEAD_PROXY = "http://127.0.0.1:1"
ELSEWHERE = "redis://:secret@192.0.2.1:6379/7"  # an address that leads nowhere by definition (RFC 5737)


def open_twice():
    """Start the lab, start it again, let the worker fetch."""
    import lab

    lab.start()
    opened = lab.current()
    before = [process.pid for process in opened.processes]
    lab.start()
    from tasks import fetch_url

    answer = fetch_url.delay(f"{lab.fb.url}/v1/ada/photos?latency=0&limit=1").get(timeout=30)
    again = lab.current()
    same = again is opened and before == [process.pid for process in again.processes]
    logs = [path.read_text() for path in opened.keeper.folder.glob("*.log")]
    return {"same": same, "items": len(answer["data"]), "logs": "".join(logs)}


def open_with_few_files(few):
    """Start the lab where a process may have no more than so many files open, as on many systems."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (few, hard))
    import psutil

    import lab

    lab.start()
    worker = psutil.Process(lab.current().others[-1].pid)
    return {"worker": worker.rlimit(psutil.RLIMIT_NOFILE)[0], "hard": hard, "wanted": lab.services.start.OPEN_FILES}


STRANGE = dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"), DEAD_PROXY)
STRANGE |= {"CELERY_BROKER_URL": ELSEWHERE, "CELERY_RESULT_BACKEND": ELSEWHERE}
PLAIN = {"LC_ALL": "C", "PYTHONHASHSEED": "0", "TZ": "Asia/Kathmandu"}
TURKISH = {"LANG": "tr_TR.UTF-8", "PYTHONHASHSEED": "123", "TZ": "XYZ-13:37"}


def check(outcome):
    assert outcome.returncode == 0, outcome.err
    first, second = outcome.out[: len(outcome.out) // 2], outcome.out[len(outcome.out) // 2 :]
    assert ACCOUNT.fullmatch(first), outcome.out
    assert second == first
    assert outcome.err == ""
    assert outcome.evidence["same"]
    assert outcome.evidence["items"] == 1
    for part in ("secret", "192.0.2.1"):
        assert part not in outcome.out + outcome.evidence["logs"]


@pytest.mark.skipif(sys.platform != "linux", reason="psutil tells other processes' limits on Linux alone")
def test_its_workers_may_open_a_thousand_connections(run_lab):
    outcome = run_lab(open_with_few_files, 256)
    assert outcome.returncode == 0, outcome.err
    evidence = outcome.evidence
    assert evidence["worker"] == min(evidence["wanted"], evidence["hard"]) > 256


@pytest.mark.parametrize("variables", [STRANGE, PLAIN], ids=["proxies and another project", "no locale"])
def test_it_opens_in_any_surroundings(run_lab, variables):
    check(run_lab(open_twice, cwd="/", **variables))


def test_the_course_may_lie_in_a_path_with_spaces(run_lab, tmp_path, request):
    folder = tmp_path / "with some spaces"
    root = request.config.rootpath
    for name in ("lab", "fake_fb"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ROOT_FILES:
        shutil.copy(root / name, folder / name)
    check(run_lab(open_twice, root=folder, cwd=folder, **TURKISH))


def time_to_open(home):
    """Seconds until a lab is open; then, on its Redis, until a worker is ready that is started by hand."""
    import os
    import signal
    import subprocess
    import sys
    import time

    import lab

    begin = time.perf_counter()
    lab.start()
    opened = time.perf_counter() - begin
    # A worker waits a second for the greeting of another one; by hand it comes to an empty database.
    url = os.environ["REDIS_URL"].removesuffix("0") + "1"
    command = [sys.executable, "-m", "celery", "-A", "tasks", "worker", "--concurrency", "5", "--loglevel", "INFO"]
    environment = os.environ | {"REDIS_URL": url, "PYTHONPATH": sys.path[0], "TMPDIR": home}
    begin = time.perf_counter()
    worker = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert any(line.rstrip().endswith(" ready.") for line in worker.stderr)
        bare = time.perf_counter() - begin
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    return opened, bare


def test_it_takes_no_longer_than_half_as_long_again_as_a_worker(place):
    # The best of several each, because a busy machine delays now this one, now the other; at rest one round will do.
    # A ratio, because what the lab does beside the worker takes longer on a busy machine, too.
    opened = bare = float("inf")
    for _ in range(6):
        seconds = place.witness(time_to_open, str(place.home))
        opened, bare = min(opened, seconds[0]), min(bare, seconds[1])
        if opened < 1.5 * bare:
            return
    assert opened < 1.5 * bare


def start_late():
    """Use the tasks first, and open the lab after that."""
    import os

    from tasks import app

    assert app.conf.broker_url == "redis://localhost:6379/0"  # Celery reads its settings when first asked for one

    import lab

    before = dict(os.environ)
    try:
        lab.start()
    except lab.LabError as error:
        return {"said": str(error), "clean": dict(os.environ) == before}


def test_tasks_used_too_early_are_noticed(place):
    evidence = place.witness(start_late)
    assert evidence["said"].startswith("tasks was imported before lab.start()")
    assert evidence["clean"]


def lose_redis():
    """Start the lab, kill its Redis, ask again and watch."""
    import os
    import signal
    import time

    import lab

    lab.start()
    server = lab.current().processes[0]
    server.signal(signal.SIGKILL)
    server.wait_end(timeout=30)
    said, took = [], []
    for attempt in (lab.start, lambda: lab.watch("nothing").__enter__()):
        begin = time.monotonic()
        try:
            attempt()
        except lab.LabError as error:
            said.append(str(error))
        except Exception as error:
            said.append(f"not a LabError: {error!r}")
        took.append(time.monotonic() - begin)
    return {"said": said, "took": took, "tail": server.tail(), "pid": os.getpid()}


def test_a_redis_that_died_is_named(place):
    evidence = place.witness(lose_redis)
    again, watched = evidence["said"]
    assert again == f"redis has ended. Restart the kernel to have it back. {evidence['tail']}"
    assert "Ready to accept connections" in evidence["tail"]
    assert watched and not watched.startswith("not a LabError")
    assert max(evidence["took"]) < 30


def use_closed():
    """What needs a lab, without one."""
    import lab

    said = []
    for attempt in (lambda: lab.fb, lab.worker, lambda: lab.watch("x"), lambda: lab.timeline_page("ada", {})):
        try:
            attempt()
            said.append("")
        except lab.LabError as error:
            said.append(str(error))
    return said


def test_without_start_there_is_no_lab(place):
    said = place.witness(use_closed)
    assert said[:3] == ["The lab is not open yet: run lab.start() first."] * 3
