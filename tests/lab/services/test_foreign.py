"""Nothing of somebody else's is touched: not by a start that works, not by one that is refused or interrupted."""

import json
import random
import signal
import subprocess
import time

import pytest
from celery import Celery

CHARGE = json.dumps({"body": "W10=", "headers": {"task": "billing.charge", "id": "theirs"}, "properties": {}})

DEADLINES = "_kombu.binding_deadlines"  # a sorted set of Celery's


def open_and_fetch():
    """Open the lab and let a worker fetch something."""
    import lab

    lab.start()
    from tasks import fetch_url

    answer = fetch_url.delay(f"{lab.fb.url}/v1/ada/photos?limit=1&latency=0").get(timeout=30)
    return len(answer["data"])


def contents(client, database=0):
    """Every key of a database, and what it holds."""
    client.execute_command("SELECT", database)
    return {key: client.dump(key) for key in client.scan_iter()}


def databases(client):
    return client.info("keyspace").keys()


@pytest.fixture
def theirs(start_redis):
    """The Redis of another project, whose worker is stopped while messages wait."""
    client = start_redis()
    client.lpush("celery", CHARGE)
    client.lpush("emails", CHARGE)
    client.sadd("_kombu.binding.celery", "celery\x06\x16\x06\x06\x16celery")
    client.sadd("_kombu.binding.celery.pidbox", "\x06\x16\x06\x06\x16celery@theirs.celery.pidbox")
    client.zadd(DEADLINES, {"celery.pidbox": 1})  # long over: whoever asks workers would tidy it up
    client.url = f"redis://127.0.0.1:{client.port}/0"
    client.before = contents(client)
    client.config_resetstat()
    return client


def check_untouched(client):
    assert contents(client) == client.before
    assert databases(client) == {"db0"}


ADDRESSES = ["BROKER_URL", "RESULT_BACKEND", "CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"]
ADDRESSES += ["CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL"]
ELSEWHERE = {
    "queues": {"CELERY_WORKER_QUEUES": "emails", "CELERY_WORKER_EXCLUDE_QUEUES": "celery"},
    "node name": {"CELERY_WORKER_HOSTNAME": "theirs@example"},
    "app and loader": {"APP": "billing", "LOADER": "billing.Loader", "CELERY_LOADER": "billing.Loader"},
    "modules": {"CONFIG_MODULE": "billing", "CELERY_CONFIG_MODULE": "billing", "CELERY_WORKER_INCLUDE": "billing"},
    "limits": {"CELERY_WORKER_CONCURRENCY": "1", "CELERY_WORKER_POOL": "solo"},
    "log": {"CELERY_WORKER_LOGLEVEL": "CRITICAL", "CELERY_WORKER_LOGFILE": "/dev/null", "CELERY_LOG_LEVEL": "50"},
    "Python": {"PYTHONSAFEPATH": "1", "PYTHONINSPECT": "1", "PYTHONVERBOSE": "1", "PYTHONDEVMODE": "1"},
    "others": {"C_STRICT_APP": "1", "KOMBU_LOG_CONNECTION": "1", "MP_LOG": "1", "USE_FAST_LOCALS": "1"},
}


def test_another_projects_redis_in_the_environment_is_not_even_asked(run_lab, theirs):
    outcome = run_lab(open_and_fetch, **dict.fromkeys(ADDRESSES, theirs.url))
    assert outcome.evidence == 1, outcome.err
    asked = theirs.info("commandstats").keys() - {"cmdstat_config|resetstat", "cmdstat_info", "cmdstat_select"}
    assert not asked
    check_untouched(theirs)


@pytest.mark.parametrize("variables", ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_options_of_another_project_reach_no_worker(run_lab, variables):
    outcome = run_lab(open_and_fetch, **variables)
    assert outcome.evidence == 1, outcome.err


def test_modules_of_another_project_are_not_imported(run_lab, tmp_path):
    for name in ("tasks", "celeryconfig", "fake_fb", "redis", "sitecustomize", "usercustomize"):
        (tmp_path / f"{name}.py").write_text(f"print('theirs: {name}')\n")
    (tmp_path / "redis.py").unlink()  # the notebook itself would import it
    outcome = run_lab(open_and_fetch, cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert outcome.evidence == 1, outcome.err
    # The test's own Python has it from its environment; no child of the lab does.
    assert outcome.out.count("theirs: ") == 1


@pytest.mark.parametrize("named", ["by REDIS_URL", "by Compose"])
def test_a_message_that_waits_is_not_taken(run_lab, theirs, start_facebook, named):
    if named == "by REDIS_URL":
        outcome = run_lab(open_and_fetch, REDIS_URL=theirs.url)
    else:
        theirs.acl_setuser("celery-course", enabled=True, passwords="+celery-course", commands=["+ping"])
        ports = {"REDIS_PORT": str(theirs.port), "FAKE_FB_PORT": start_facebook().rpartition(":")[2]}
        outcome = run_lab(open_and_fetch, **ports)
    assert outcome.evidence == 1, outcome.err
    assert ", database 1 for this notebook" in outcome.out.splitlines()[0]
    check_untouched(theirs)


OTHER = """
import time
from celery import Celery
app = Celery("tasks", broker={url!r}, backend={url!r})
@app.task(name="tasks.fetch_url")
def fetch_url(url): return {{"data": ["theirs"]}}
@app.task
def sleep(): time.sleep(30)
"""


@pytest.mark.parametrize("theirs_do", ["read another queue", "have a task of that name", "are busy"])
def test_a_worker_is_shared_only_if_all_that_read_there_are_the_courses(
    run_lab, theirs, start_worker, tmp_path, theirs_do
):
    (tmp_path / "other.py").write_text(OTHER.format(url=theirs.url))
    if theirs_do == "read another queue":
        start_worker(theirs.url, "--pool", "threads", "--concurrency", "5", "--queues", "course")
    elif theirs_do == "have a task of that name":
        start_worker(theirs.url, "--pool", "threads", "--concurrency", "5", app="other")
    else:
        start_worker(theirs.url, "--pool", "threads", "--concurrency", "5", "--queues", "course,celery")
        busy = start_worker(theirs.url, "--pool", "solo", "--queues", "slow", app="other")
        Celery(broker=theirs.url, set_as_current=False).send_task("other.sleep", queue="slow")
        busy.wait_until(lambda: "other.sleep" in busy.log.read_text().partition("ready.")[2])
    outcome = run_lab(open_and_fetch, REDIS_URL=theirs.url)
    assert outcome.evidence == 1, outcome.err
    assert "database 1 for this notebook" in outcome.out


def refuse():
    """Open the lab where a worker runs that is too small."""
    import lab

    try:
        lab.start()
    except lab.LabError as error:
        return str(error)


def test_a_start_that_is_refused_leaves_no_key(run_lab, theirs, start_worker):
    theirs.delete("celery")  # or that worker would take what waits there
    worker = start_worker(theirs.url, "--pool", "threads", "--concurrency", "2")
    theirs.before = contents(theirs)
    deadlines = set(theirs.zrange(DEADLINES, 0, -1))
    assert "2 processes" in run_lab(refuse, REDIS_URL=theirs.url).evidence
    worker.stop()
    assert set(theirs.zrange(DEADLINES, 0, -1)) == deadlines  # until when each is kept a worker says anew now and then
    assert contents(theirs).keys() == theirs.before.keys()
    assert databases(theirs) == {"db0"}


def open_and_be_interrupted():
    """Open the lab; an interrupt is one, even where these tests run in the background, which is told to ignore it."""
    import signal

    signal.signal(signal.SIGINT, signal.default_int_handler)
    import lab

    lab.start()


@pytest.mark.parametrize("seed", range(6))
def test_an_interrupt_leaves_no_key_no_process_and_no_folder(place, theirs, seed):
    """At moments spread over the start, which takes about a second at rest."""
    child = subprocess.Popen(
        place.command(open_and_be_interrupted),
        env=place.environment | {"REDIS_URL": theirs.url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    begin = time.monotonic()
    while not list(place.temporary.glob("celery-lab-*")) and time.monotonic() < begin + 30:
        time.sleep(0.001)
    time.sleep(random.Random(seed).uniform(0, 1.2))
    child.send_signal(signal.SIGINT)
    err = child.communicate(timeout=60)[1]
    assert "KeyboardInterrupt" in err or child.returncode == 0, err
    place.check_empty()
    check_untouched(theirs)


def interrupt_a_worker():
    """Interrupt the start of a worker, as a reader does, and let the next one do the same work."""
    import _thread
    import signal
    import threading
    import time

    import lab

    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where these tests run in the background

    lab.start(worker=False)
    from tasks import fetch_url

    seen = []
    for seconds in (0.001, 0.05, 0.2):
        try:
            threading.Timer(seconds, _thread.interrupt_main).start()
            lab.worker(concurrency=1)
            time.sleep(10)  # a fast machine: the worker is there, and the interrupt comes now
        except KeyboardInterrupt:
            seen.append("interrupted")
    import psutil

    keeper = psutil.Process(lab.current().keeper.pid)
    workers = [each for each in keeper.children() if "celery" in each.cmdline() and each.status() != "zombie"]
    ticket = fetch_url.delay(f"{lab.fb.url}/v1/ada/photos?limit=1&latency=0")
    waiting = len(lab.xray().queues["celery"])
    with lab.worker(concurrency=1):
        ticket.get(timeout=30)
    return {"seen": seen, "left": len(workers), "waiting": waiting}


def test_a_worker_whose_start_is_interrupted_is_gone(place):
    evidence = place.witness(interrupt_a_worker)
    assert evidence == {"seen": ["interrupted"] * 3, "left": 0, "waiting": 1}
