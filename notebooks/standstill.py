"""The photo albums of notebook 11b: members that you release, steps that are counted,
what Redis holds of a chord, and how many bytes a workflow costs."""

import time
from collections.abc import Callable
from typing import Any

from celery import Signature, chain, chord, current_task
from celery.app.task import Context
from celery.signals import before_task_publish

import lab
from notebooks.canvas import MINUTE
from tasks import app

META = "celery-taskset-meta-"  # begins the keys of a group

store: Any = app.backend.client  # a redis.Redis


# In a worker


@app.task(bind=True)
def resize(self, photo):
    """Resize a photo, which takes until it is released."""
    return _resized(self.request.id, photo)


@app.task(bind=True, acks_late=True)
def resize_late(self, photo, seconds=None):
    """The same, acknowledged when it has ended. Or it takes so many seconds."""
    return _resized(self.request.id, photo, seconds)


@app.task(bind=True)
def album(self, photos):
    """The album of some photos, in their order."""
    store.hincrby("began", self.request.id)
    return photos


@app.task
def keep(photo):
    return photo


@app.task(bind=True)
def where(self, *_):
    """The queue from which this task came."""
    store.rpush("came", self.request.delivery_info["routing_key"])


def _resized(id: str, photo: str, seconds: float | None = None) -> str:
    store.hincrby("began", id)
    end = time.monotonic() + (MINUTE if seconds is None else seconds)
    while time.monotonic() < end:
        if seconds is None and store.exists(f"released:{photo}"):
            break
        time.sleep(0.02)
    return photo


@app.task(ignore_result=True)
def write(number):
    """A step of a chain: write the number into a line."""
    put("chained", number)


@app.task(ignore_result=True)
def write_and_send(number, last):
    """Write the number, and send the task for the next one."""
    put("sent", number)
    if number < last:
        write_and_send.delay(number + 1, last)


def put(line: str, number: int) -> None:
    """Write a number into a line, and the message whose task does. Each third takes a
    little longer."""
    time.sleep(0.004 * (number % 3))
    store.sadd(f"{line}:by", current_task.request.properties["delivery_tag"])
    store.rpush(line, number)


# In the notebook


def album_of(name: str, resize: Any = resize) -> Signature:
    """An album of three photos, with ids such as sea-1 and sea-album."""
    photos = [f"{name}-{n}" for n in (1, 2, 3)]
    members = [resize.s(photo).set(task_id=photo) for photo in photos]
    return chord(members, album_step(name))


def lose_the_second(workflow: Signature, worker: Any) -> Any:
    """Send an album, and kill the worker when the first and the third photo are done
    and the second is being resized. Gives the album's result."""
    result = workflow.delay()
    one, two, three = [member.options["task_id"] for member in workflow.tasks]
    wanted = {one: "SUCCESS", two: "STARTED", three: "SUCCESS"}
    release(one, three)

    def is_time() -> bool:
        return states(*wanted) == wanted

    worker.wait_for("two photos were done", is_time, timeout=MINUTE)
    worker.kill()
    release(two)
    return result


def timed(name: str, *seconds: float) -> list[Signature]:
    """Late photos that take so many seconds, each with an id such as fen-1."""
    calls = enumerate(seconds, start=1)
    ids = {f"{name}-{n}": each for n, each in calls}
    return [resize_late.s(id, ids[id]).set(task_id=id) for id in ids]


def album_step(name: str) -> Signature:
    return album.s().set(task_id=f"{name}-album")


_sent: dict[str, tuple[dict[str, Any], Any]] = {}


@before_task_publish.connect
def _note_sent(headers: dict[str, Any], body: Any, **_: Any) -> None:
    _sent[headers["id"]] = headers, body


def sent(id: str) -> tuple[list[Any], dict[str, Any]]:
    """A task that this notebook has sent: its arguments, and the options that make it a
    member of its chord again."""
    headers, (args, _, later) = _sent[id]
    member = {"group_id": headers["group"], "group_index": headers["group_index"]}
    return list(args), {"task_id": id, **member, "chord": later["chord"]}


def request_of(id: str) -> Context:
    """Of a member that this notebook has sent: what Celery must know to count it."""
    headers, (_, _, later) = _sent[id]
    place = {"group": headers["group"], "group_index": headers["group_index"]}
    return Context(id=id, chord=later["chord"], **place)


def release(*photos: str) -> None:
    for photo in photos:
        store.set(f"released:{photo}", 1)


def began(id: str) -> int:
    """How often a task with this id began."""
    return int(store.hget("began", id) or 0)


def wait_for_second_runs(worker: Any, *ids: str) -> None:
    """Wait until each began twice or more, and nothing is left to do: no message waits,
    none is unacknowledged, and the worker is idle."""

    def is_over() -> bool:
        seen = lab.xray()
        left = seen.unacked or seen.queues.get("celery")
        return all(began(id) > 1 for id in ids) and not left

    worker.wait_for("they ran twice", is_over, timeout=MINUTE)
    worker.wait_until_idle(timeout=MINUTE)


def came() -> list[str]:
    """From which queues the tasks `where` came; asked again, from then on."""
    found = [queue.decode() for queue in store.lrange("came", 0, -1)]
    store.delete("came")
    return found


def states(*ids: str) -> dict[str, str]:
    return {id: app.AsyncResult(id).state for id in ids}


def keys(group: str) -> list[str]:
    """The ends of the names of all keys of a group in Redis."""
    found = store.scan_iter(f"{META}{group}.*")
    return sorted(key.decode()[-2:] for key in found)


def start_chain(length: int, queue: str = "celery") -> None:
    chain(write.si(number) for number in range(length)).apply_async(queue=queue)


def bytes_of_a_later_step() -> float:
    """What each later step adds to the first message of a chain."""
    store.delete("parked")
    for length in (100, 200):
        start_chain(length, queue="parked")
    first, second = (len(message) for message in store.lrange("parked", 0, -1))
    return abs(first - second) / 100


def start_successor(length: int) -> None:
    write_and_send.delay(0, length - 1)


def megabytes(run: Callable[[int], None], length: int, line: str) -> float:
    """What Redis takes in and gives out while a line of this length is written, in MB.
    Half a second without work goes first, to let what came before come to its end."""
    store.delete(line, f"{line}:by")
    time.sleep(0.5)
    before = _bytes()
    run(length)
    end = time.monotonic() + MINUTE
    while time.monotonic() < end and store.llen(line) < length:
        time.sleep(0.1)
    return (_bytes() - before) / 1e6


def _bytes() -> int:
    stats = store.info("stats")
    return stats["total_net_input_bytes"] + stats["total_net_output_bytes"]
