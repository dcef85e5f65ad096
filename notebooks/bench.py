"""The packing bench of notebook 09, Nothing lost: what its tasks do, and a record of
every run of each order.

A worker runs the functions at the top. The notebook uses those below: it lets orders
end, counts how often each began, and makes lanes of the record for `lab.draw_lanes`.
"""

import json
import os
import time
from signal import SIGKILL
from typing import TYPE_CHECKING, Any

from celery import current_task
from celery.signals import before_task_publish

from tasks import app

if TYPE_CHECKING:
    from lab.record.run import Run

RECORD = "bench"  # a hash in Redis: "order/1" is the first run of an order
LONGEST = 60  # seconds that an order waits for its release

store = app.backend.client


# In a worker


def pack_order(order: str, seconds: float | None = None) -> str:
    """Pack an order for so many seconds, or until it is released."""
    run = _begin(order)
    end = time.monotonic() + (LONGEST if seconds is None else seconds)
    while time.monotonic() < end and not (seconds is None and is_released(order)):
        time.sleep(0.02)
        _note(order, run, seen=time.time())
    _note(order, run, finished=time.time())
    return f"{order} is packed"


def crash(order: str) -> None:
    """Pack an order whose data ends the process, as memory that runs out would."""
    run = _begin(order)
    time.sleep(0.2)
    _note(order, run, seen=time.time())
    os.kill(os.getpid(), SIGKILL)


def book_parcel(order: str, key: str | None = None) -> str:
    """Ask the carrier to book a parcel: its number.

    A second call with the same key gives the number of the first, and books nothing.
    The carrier has booked before its answer arrives, and the answer takes until the
    order is released.
    """
    number = store.hget("carrier:keys", key) if key else None
    if number is None:
        number = b"parcel-%d" % store.incr("carrier:count")
        store.rpush(f"carrier:{order}", number)
        if key:
            store.hset("carrier:keys", key, number)
    pack_order(order)
    return number.decode()


def is_released(order: str) -> bool:
    return bool(store.hexists("released", order))


def _begin(order: str) -> int:
    """The number of this run, which is in the record from now on."""
    run = store.hincrby("starts", order)
    node = current_task.request.hostname if current_task else "here"
    _note(order, run, node=node, pid=os.getpid(), started=time.time())
    return run


def _note(order: str, run: int, **facts: Any) -> None:
    key = f"{order}/{run}"
    known = json.loads(store.hget(RECORD, key) or "{}")
    store.hset(RECORD, key, json.dumps(known | facts))


# In the notebook


def release(*orders: str) -> None:
    """Let these orders be packed."""
    for order in orders:
        store.hset("released", order, 1)


def starts(order: str) -> int:
    """How often a process began to pack the order."""
    return int(store.hget("starts", order) or 0)


def runs(order: str) -> list[dict[str, Any]]:
    """The record of the order: each run's `node`, `pid`, `started` and `finished`, in
    seconds since 1970. A run that was killed has no `finished`; it was last `seen` a
    moment before."""
    keys = [f"{order}/{run}" for run in range(1, starts(order) + 1)]
    return [json.loads(store.hget(RECORD, key)) for key in keys]


def taken_at(order: str) -> float:
    """When a worker took the order's message, which is unacknowledged, in seconds since
    1970: Celery keeps this time in `unacked_index`, by the message's delivery tag."""
    for tag, content in store.hgetall("unacked").items():
        if json.loads(content)[0]["headers"]["id"] == order:
            return store.zscore("unacked_index", tag)
    raise LookupError(f"{order} is not unacknowledged")


def impatient(visibility_timeout: float) -> dict[str, Any]:
    """Settings of a worker that searches twice a second for what was taken longer ago
    than this, in seconds."""
    often = {"unacked_restore_interval": 0.5, "unacked_restore_throttle": 1}
    options = {"visibility_timeout": visibility_timeout, **often}
    return {"broker_transport_options": options}


_sent: dict[str, float] = {}


@before_task_publish.connect
def _note_sent(headers: dict[str, Any], **_: Any) -> None:
    _sent.setdefault(headers["id"], time.time())


def lanes(title: str, *orders: str, most: int | None = None) -> "Run":
    """These orders' runs for `lab.draw_lanes`, from the moment when the first was sent.

    Each order was sent from this notebook, with its own name as the task id. `most`:
    only so many of the first runs of each.
    """
    from lab.record.run import Attempt, Run, Task

    run = Run(title, started=min(_sent[order] for order in orders))
    for order in orders:
        task = Task(order, "pack", order, sent=_sent[order])
        for each in runs(order)[:most]:
            state = "SUCCESS" if "finished" in each else "FAILURE"
            end = each.get("finished") or each.get("seen", each["started"])
            who = {"worker": each["node"], "pid": each["pid"]}
            task.attempts.append(Attempt(each["started"], end, state, **who))
        run.tasks.append(task)
    return run
