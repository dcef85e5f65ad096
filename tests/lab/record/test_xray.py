"""`lab.xray()`: what it says of a Redis, compared with what was put there."""

import json
import threading

import pytest
import redis
from celery import Celery

from lab import LabError
from lab.record.look import xray
from lab.record.xray import XRay

UUID = "0b8f6d6e-3f6a-4b36-9d1c-5f6f3a1c2d3e"


class Stand:
    """A Redis of the test's own, and a Celery application that uses it."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client
        self.url = f"redis://127.0.0.1:{client.port}/0"
        self.app = Celery("stand", broker=self.url, backend=self.url, set_as_current=False)
        self.connection = self.app.connection_for_read()

    def send(self, *ids: str, **options) -> None:
        for id in ids:
            self.app.send_task("photos.resize", [id], task_id=id, **options)

    def take(self, *queues: str) -> object:
        """Take one message as a worker does, and acknowledge nothing. The channel that holds it."""
        channel = self.connection.channel()
        for queue in queues:
            assert channel.basic_get(queue)
        return channel

    def look(self) -> XRay:
        return xray(self.url)

    def close(self) -> None:
        self.connection.close()  # gives back what was taken, while there is somebody to give it to
        self.app.close()


@pytest.fixture(scope="module")
def server(start_redis):
    return start_redis()


@pytest.fixture
def stand(server):
    server.flushall()
    stand = Stand(server)
    yield stand
    stand.close()


def test_messages_in_the_order_in_which_they_leave(stand):
    stand.send("first", "second", "third")
    assert stand.look() == XRay({"celery": ["first", "second", "third"]})
    stand.take("celery")
    assert stand.look().queues == {"celery": ["second", "third"]}


def test_each_priority_has_a_list(stand):
    for priority in (9, 5, 3, 0, None):
        stand.send(f"p{priority}", priority=priority)
    assert stand.look().queues == {
        "celery": ["p0", "pNone"],
        "celery (priority 3)": ["p5", "p3"],
        "celery (priority 9)": ["p9"],
    }


def test_a_queue_with_no_messages_is_shown(stand):
    stand.send("only", queue="mail")
    stand.take("mail")
    assert stand.look().queues == {"mail": []}
    assert "queue mail  0\n" in str(stand.look())


def test_unacked_until_acknowledged(stand):
    stand.send("b", "a", "left")
    channel = stand.take("celery", "celery")
    assert stand.look() == XRay({"celery": ["left"]}, unacked=["a", "b"])
    for tag in list(channel.qos._delivered):
        channel.basic_ack(tag)
    assert stand.look() == XRay({"celery": ["left"]})


def test_results_with_their_states(stand):
    stand.app.backend.store_result("done", 1, "SUCCESS")
    stand.app.backend.store_result("broken", ValueError("no"), "FAILURE")
    stand.client.set("celery-task-meta-odd", "not JSON")
    assert stand.look().results == {"broken": "FAILURE", "done": "SUCCESS", "odd": "unreadable"}


def test_a_message_without_a_chosen_id_goes_by_its_task_and_arguments(stand):
    stand.app.send_task("photos.resize", ["ada", 2], task_id=UUID)
    stand.app.send_task("tasks.fetch_url", ["http://127.0.0.1:8000/v1/ada/photos?limit=3"])
    assert stand.look().queues == {"celery": ["resize('ada', 2)", "fetch_url photos"]}


def test_lists_and_messages_that_are_not_celerys(stand):
    odd = ["", "plain", "null", "[1]", '{"headers": null}', '{"headers": {"task": null, "id": 3}}']
    stand.client.rpush("mine", *odd, json.dumps({"headers": {"task": "t", "id": 7}}), b"\xff\xfe", "x" * 100)
    stand.client.hset("unacked", mapping={"1": "not JSON", "2": "[]", "3": "{}", "4": "7"})
    seen = stand.look()
    assert len(seen.queues["mine"]) == len(odd) + 3
    assert {"plain", "null", "", "x" * 39 + "…"} < set(seen.queues["mine"])
    assert seen.unacked == ["7", "[]", "not JSON", "{}"]


def test_what_celery_needs_for_itself_is_left_out(stand):
    stand.client.lpush("3f.reply.celery.pidbox", "{}")
    stand.client.lpush("celery-taskset-meta-7.j", "1")
    stand.client.set("celery-course:claim", "1")
    assert stand.look() == XRay()


def test_it_changes_nothing(stand):
    stand.send("one", priority=9)
    stand.take("celery")
    stand.app.backend.store_result("done", 1, "SUCCESS")

    def dump():
        return {key: stand.client.dump(key) for key in stand.client.scan_iter()}

    before = dump()
    stand.look()
    assert dump() == before


def test_it_sees_one_moment(stand):
    # A message that runs from place to place is in one of them at any moment.
    stand.client.hset("unacked", "tag", '["hare"]')
    over = threading.Event()

    def run() -> None:
        with redis.Redis(port=stand.client.port) as client:
            while not over.is_set():
                with client.pipeline(transaction=True) as step:
                    step.lpush("burrow", "hare").lpush("burrow", "tortoise").hdel("unacked", "tag").execute()
                with client.pipeline(transaction=True) as step:
                    step.delete("burrow").lpush("burrow", "tortoise").hset("unacked", "tag", '["hare"]').execute()

    hare = threading.Thread(target=run)
    hare.start()
    try:
        seen = [stand.look() for _ in range(200)]
    finally:
        over.set()
        hare.join()
    assert all((each.queues.get("burrow", []) + each.unacked).count("hare") == 1 for each in seen if each.queues)


def test_many_keys(stand):
    with stand.client.pipeline() as pipe:
        for n in range(3000):
            pipe.lpush(f"list-{n}", "m").set(f"celery-task-meta-{n}", '{"status": "SUCCESS"}').set(f"other-{n}", 1)
        pipe.execute()
    seen = stand.look()
    assert (len(seen.queues), len(seen.results)) == (3000, 3000)


def test_another_database_is_another_redis(stand):
    stand.send("here")
    assert xray(stand.url[:-1] + "1") == XRay()


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "nonsense://", "redis://127.0.0.1:x/0"])
def test_where_no_redis_answers(url):
    with pytest.raises(LabError, match=r"^Redis can't be looked into \(\w+\): is the server there started\?$"):
        xray(url)


def test_before_the_lab_is_open(monkeypatch):
    monkeypatch.delenv("REDIS_URL", raising=False)
    with pytest.raises(LabError, match=r"run lab\.start\(\) first\.$"):
        xray()


# Words


def test_as_a_table():
    seen = XRay({"celery": ["a", "b"], "mail": []}, ["c"], {"c": "STARTED", "d": "SUCCESS"})
    assert str(seen).splitlines() == [
        "queue celery  2  a, b",
        "queue mail    0",
        "unacked       1  c",
        "results       2  c: STARTED, d: SUCCESS",
    ]
