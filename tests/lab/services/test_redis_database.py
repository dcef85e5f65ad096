"""On a Redis that others use, a notebook without a worker has a database of its own, and leaves nothing there."""

import time

import pytest
import redis

from lab.services.redis_database import CLAIM, TRIAL_SECONDS, claim, clean, keep

STRANGER = "somebody's key"
OPEN = """
import sys
sys.path.insert(0, "..")
import os
import lab
lab.start(worker=False)
"""
USE = """
from tasks import fetch_url
url = f"{lab.fb.url}/v1/ada/photos?latency=0&limit=1"
tickets = [fetch_url.delay(url) for _ in range(3)]
first = lab.xray()
assert first.queues == {"celery": ["fetch_url photos"] * 3}, first
with lab.worker(concurrency=1):
    print(len([ticket.get(timeout=30) for ticket in tickets]), "answers")
fetch_url.delay(url)
"""


@pytest.fixture
def shared(start_redis):
    """A Redis with one key of somebody else, and its address."""
    client = start_redis()
    client.set(STRANGER, "untouched")
    return client, f"redis://127.0.0.1:{client.port}/0"


def contents(client) -> dict[str, int]:
    """How many keys each database holds that isn't empty."""
    return {name: counts["keys"] for name, counts in client.info("keyspace").items()}


def test_it_is_an_empty_one_and_never_the_first(shared):
    client, url = shared
    client.flushdb()  # an empty database 0 is left alone all the same
    assert [claim(url, "me"), claim(url, "me")] == [url[:-1] + "1", url[:-1] + "2"]
    assert claim(url[:-1] + "3", "me") == url[:-1] + "4"


def test_it_is_not_one_in_which_somebody_waits(shared):
    client, url = shared
    with redis.Redis(port=client.port, db=1) as waiting:
        waiting.ping()
        assert claim(url, "me") == url[:-1] + "2"


def test_a_claim_that_is_not_kept_ends_by_itself(shared):
    client, url = shared
    mine = claim(url, "me")
    client.execute_command("SELECT", 1)
    assert 0 < client.ttl(CLAIM) <= TRIAL_SECONDS
    keep(mine)
    assert client.ttl(CLAIM) == -1


def test_cleaning_leaves_no_key_and_touches_no_other_database(shared):
    client, url = shared
    assert claim(url, "me") == url[:-1] + "1"
    claim(url, "somebody else")
    client.execute_command("SELECT", 1)
    client.lpush("celery", "message")
    clean(url, "me")
    assert contents(client) == {"db0": 1, "db2": 1}


def test_a_database_without_the_mark_is_not_cleaned(shared):
    client, url = shared
    clean(url, "me")
    assert client.get(STRANGER) == b"untouched"


def test_a_server_without_an_empty_database_is_refused(start_redis):
    client = start_redis("--databases", "2")
    url = f"redis://127.0.0.1:{client.port}/0"
    claim(url, "me")
    with pytest.raises(LookupError):
        claim(url, "me")
    assert contents(client) == {"db1": 1}


def open_on_a_full_server():
    import lab

    try:
        lab.start(worker=False)
    except lab.LabError as error:
        return str(error)


def test_the_lab_says_what_to_do_where_none_is_empty(run_lab, start_redis):
    client = start_redis("--databases", "1")
    said = run_lab(open_on_a_full_server, REDIS_URL=f"redis://127.0.0.1:{client.port}/0").evidence
    assert "needs an empty database" in said and "REDIS_URL" in said and "\n" not in said


@pytest.mark.parametrize("end", ["kill", "shutdown"])
def test_nothing_stays_whatever_ends_the_kernel(open_kernel, place, shared, end):
    client, url = shared
    place.environment["REDIS_URL"] = url
    kernel = open_kernel()
    opened = kernel.run(OPEN)
    assert "database 1 for this notebook" in opened and "none yet" in opened
    assert "3 answers" in kernel.run(USE)
    client.execute_command("SELECT", 1)
    assert client.exists(CLAIM, "celery") == 2
    if end == "kill":
        kernel.process.kill()
    else:
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel()
    deadline = time.monotonic() + 20
    while contents(client) != {"db0": 1} and time.monotonic() < deadline:
        time.sleep(0.05)
    assert contents(client) == {"db0": 1}
    client.execute_command("SELECT", 0)
    assert client.get(STRANGER) == b"untouched"
