"""`lab.commands`: what Redis is told inside a block, and by which process."""

import pytest


def listen_to_a_worker():
    """What the notebook, the parent and its one child tell Redis while a task runs, and what comes before and after."""
    import os

    import lab

    lab.start(worker=False, private=True)
    from tasks import app, fetch_url

    url = f"{lab.fb.url}/v1/ada/photos?limit=1&latency=0.2"
    client = app.backend.client
    with lab.commands() as quiet:
        pass
    worker = lab.worker(concurrency=1)
    parent, child = worker.pids
    client.set("before", 1)
    with lab.commands() as seen:
        inside = len(seen)
        fetch_url.apply_async([url], task_id="photo-1").get(timeout=20)
        client.set("within reach", "a b")
    client.set("after", 1)
    names = {os.getpid(): "client", parent: "parent", child: "child"}
    return {
        "quiet": [each.text for each in quiet],
        "inside": inside,
        "told": [(each.name, each.key, each.text, names.get(each.pid)) for each in seen],
    }


@pytest.fixture(scope="module")
def seen(shared_place):
    return shared_place.witness(listen_to_a_worker)


def test_it_tells_nothing_of_itself(seen):
    assert seen["quiet"] == []


def test_it_is_filled_at_the_end(seen):
    assert seen["inside"] == 0 < len(seen["told"])


@pytest.mark.parametrize(
    ("name", "key", "sender"),
    [
        ("LPUSH", "celery", "client"),
        ("BRPOP", "celery", "parent"),
        ("HSET", "unacked", "parent"),
        ("HDEL", "unacked", "parent"),
        ("SETEX", "celery-task-meta-photo-1", "child"),
    ],
)
def test_each_command_has_its_sender(seen, name, key, sender):
    found = [(each[1], each[3]) for each in seen["told"] if each[0] == name]
    assert set(found) == {(key, sender)}


def test_in_their_order_with_their_text(seen):
    stored = [text for name, _, text, _ in seen["told"] if name == "SETEX"]
    assert ['"STARTED"' in stored[0], '"SUCCESS"' in stored[1], len(stored)] == [True, True, 2]


def test_nothing_from_before_or_after(seen):
    keys = [key for name, key, _, _ in seen["told"] if name == "SET"]
    assert keys == ["within"]


def without_a_lab():
    from lab import LabError
    from lab.record.commands import commands

    try:
        with commands():
            return "it listened"
    except LabError as error:
        return str(error)


def test_without_redis_it_says_so(shared_place):
    said = shared_place.witness(without_a_lab, REDIS_URL="redis://127.0.0.1:1/0")
    assert said == "Redis does not tell its commands (ConnectionError): run lab.start() first."
