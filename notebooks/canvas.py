"""The workflows of notebook 11: the five fetches of a timeline, what is sent for them,
how Redis counts them, and what becomes of a workflow that has an accident."""

import base64
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from celery import Signature, group

import lab
from tasks import app, fetch_url

EDGES = ("photos", "posts", "likes", "friends", "events")
MINUTE = 60

store: Any = app.backend.client  # a redis.Redis


# In a worker


@app.task
def work(*_):
    """A step that succeeds."""
    return "done"


@app.task
def fail(*_):
    """A step that raises."""
    raise ValueError("no")


@app.task
def crash(*_):
    """A step whose process dies, as one that has no more memory would."""
    time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGKILL)


@app.task
def note(task_id, where):
    """An error handler: it writes down whom it was told of, and where it listens."""
    store.rpush("notes", f"{where}: {task_id}")


# In the notebook


def url(user: str, edge: str, latency: float = 0.5) -> str:
    return f"{lab.fb.url}/v1/{user}/{edge}?latency={latency}"


def fetches(user: str, latency: float = 0.5, **own: float) -> list[Signature]:
    """The five fetches of a user, each with an id such as ada-photos. They take
    `latency` seconds, and those of `own` edges their own."""
    seconds = dict.fromkeys(EDGES, latency) | own
    calls = {edge: fetch_url.s(url(user, edge, seconds[edge])) for edge in EDGES}
    return [call.set(task_id=f"{user}-{edge}") for edge, call in calls.items()]


def states(user: str) -> dict[str, str]:
    """The state of each step of a user's timeline, as it is stored now."""
    steps = (*EDGES, "page", "tell")
    return {step: app.AsyncResult(f"{user}-{step}").state for step in steps}


def runs(user: str, done: Sequence[str]) -> bool:
    """Whether these fetches are done, and the others of the user's run."""
    wanted = {edge: "SUCCESS" if edge in done else "STARTED" for edge in EDGES}
    return wanted.items() <= states(user).items()


def messages(queue: str) -> list[dict[str, Any]]:
    """What waits in a queue, the oldest first: of each message the `id`, the `bytes`,
    and what the worker is to send later: a `chain` of steps, or a chord's `body`."""
    found = []
    for text in reversed(store.lrange(queue, 0, -1)):
        message = json.loads(text)
        _, _, later = json.loads(base64.b64decode(message["body"]))
        steps = reversed(later["chain"] or [])
        body = later["chord"] and _ids(later["chord"])
        found.append(
            {
                "id": message["headers"]["id"],
                "bytes": len(text),
                "chain": [id for step in steps for id in _ids(step)],
                "body": body or [],
            }
        )
    return found


def _ids(step: dict[str, Any]) -> list[str]:
    tasks = step["kwargs"]["tasks"] if step["task"] == "celery.chain" else [step]
    return [each["options"]["task_id"] for each in tasks]


def counting(seen: Sequence[Any]) -> list[str]:
    """Of what `lab.commands` has seen, the commands about the members of a group that
    change what is stored, or run a script. A script's own commands are indented."""
    lines = []
    for command in seen:
        of_group = "celery-taskset-meta-" in command.text
        if command.name == "EVALSHA" and of_group:
            lines.append("EVALSHA")
        elif of_group and command.name in ("SET", "ZADD", "ZCOUNT", "ZRANGE", "DEL"):
            indent = "" if command.pid else "    "
            lines.append(f"{indent}{command.name} {command.key[-2:]}")
    return lines


def notes() -> list[str]:
    """What the handlers have written down."""
    return [text.decode() for text in store.lrange("notes", 0, -1)]


def time_error(result: Any, begin: float) -> tuple[str, float]:
    """Wait for a result that fails: the kind of error, and how many seconds after that
    moment of `time.perf_counter`."""
    try:
        result.get(timeout=MINUTE)
    except Exception as error:
        return type(error).__name__, time.perf_counter() - begin
    raise AssertionError("it did not fail")


def chain_of(name: str, middle: Signature) -> Signature:
    """Three steps, one after the other. The one in the middle has the accident."""
    one, three = (work.s().set(task_id=f"{name}-{n}") for n in (1, 3))
    return one | middle.set(task_id=f"{name}-2") | three


def chord_of(name: str, middle: Signature) -> Signature:
    """Two steps side by side, the second with the accident, and then a third."""
    one, three = (work.s().set(task_id=f"{name}-{n}") for n in (1, 3))
    return group(one, middle.set(task_id=f"{name}-2")) | three


@contextmanager
def other_worker(concurrency: int, include: str) -> Iterator[None]:
    """A worker that knows this module, and reads the queue celery alone: the
    notebook's own reads it again afterwards."""
    told = {"reply": True, "timeout": 1}
    app.control.cancel_consumer("celery", **told)
    try:
        with lab.worker(concurrency, include=include):
            yield
    finally:
        app.control.add_consumer("celery", **told)


def settle(worker: Any) -> None:
    """Wait until the queue is empty and the worker has nothing left to do."""

    def is_empty() -> bool:
        return not store.llen("celery")

    worker.wait_for("it took all messages", is_empty, timeout=MINUTE)
    worker.wait_until_idle(timeout=MINUTE)


def fates(worker: Any, make: Callable[[str, Signature], Signature]) -> dict[str, Any]:
    """For each accident of the second step the states of all three, when the worker has
    nothing left to do and the queue is empty: nothing can change them any more."""
    accidents = {"raises": fail.s(), "is killed": crash.s(), "is revoked": work.s()}
    found = {}
    for accident, middle in accidents.items():
        name = f"{make.__name__}-{accident.split()[-1]}"
        ids = [f"{name}-{n}" for n in (1, 2, 3)]
        if accident == "is revoked":
            app.control.revoke(ids[1], reply=True, timeout=10, limit=1)
        make(name, middle).delay()
        steps = [app.AsyncResult(id) for id in ids]
        for step in steps[:2]:
            worker.wait_for(f"{step.id} had ended", step.ready, timeout=MINUTE)
        settle(worker)
        found[accident] = [step.state for step in steps]
    return found
