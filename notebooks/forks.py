"""What notebook 08b, What a fork copies, asks a worker with two processes.

The tasks are in modules that the notebook writes: `vouchers`, `friends`, `chores`.
"""

import os
from collections.abc import Sequence
from itertools import pairwise
from signal import SIGCONT, SIGSTOP
from typing import Any

from celery import Task
from celery.result import AsyncResult

import lab
from tasks import app


def in_each_process(worker: Any, task: Task, *, rounds: int = 3) -> list[list[int]]:
    """The numbers that the task gives in each of two processes, in their order.

    It is sent twice at the same moment, so many times over. It gives the id of its
    process and a number.
    """
    given: dict[int, list[int]] = {}
    for _ in range(rounds):
        for ticket in [task.apply_async(queue=_queue_of(worker)) for _ in range(2)]:
            pid, number = _get(ticket, worker)
            given.setdefault(pid, []).append(number)
    return list(given.values())


def one_interrupted(worker: Any, task: Task, users: Sequence[str]) -> list[Any]:
    """What the task gives for two users. The first one's process has asked, and stands
    still until the second one has its answer, as on a machine that is busy."""
    first, second = users
    lab.fb.forget()
    slow = task.apply_async([first], queue=_queue_of(worker))
    worker.wait_for("asked", lambda: lab.fb.witness().in_flight == 1, timeout=30)
    pid = slow.info["pid"]
    os.kill(pid, SIGSTOP)
    try:
        quick = _get(task.apply_async([second], queue=_queue_of(worker)), worker)
    finally:
        os.kill(pid, SIGCONT)
    return [_get(slow, worker), quick]


def row(worker: Any, voucher: Task, owner: Task, shout: Task) -> dict[str, Any]:
    """All that the notebook asks, of one worker, and the megabytes that it takes."""
    one, other = in_each_process(worker, voucher)
    ada, bob = one_interrupted(worker, owner, ["ada", "bob"])
    done = shout.apply_async(["done"], queue=_queue_of(worker))
    worker.wait_for("it ended", done.ready, timeout=30)
    return {
        "vouchers": "some twice" if set(one) & set(other) else "no voucher twice",
        "friends": f"ada sees {ada}, bob sees {bob}",
        "thread": done.state,
        "MB": lab.memory(worker).fair,
    }


def replacements(tickets: Sequence[AsyncResult]) -> list[tuple[float, float, float]]:
    """For each process that took the place of another: the megabytes of the old one
    after its last call and of the new one after its first, and the seconds between."""
    found = []
    for before, after in pairwise(tickets):
        (old, last), (new, first) = before.get(), after.get()
        if old != new:
            gap = (after.date_done - before.date_done).total_seconds()
            found.append((last, first, gap))
    return found


def owner_of(page: dict[str, Any]) -> str:
    """Whose friends a page of the mock Facebook lists: their pictures' URLs say it."""
    return page["data"][0]["picture"]["data"]["url"].split("/")[-2]


def _queue_of(worker: Any) -> str:
    """The queue that the worker reads, by its own account."""
    said = app.control.inspect([worker.node], limit=1, timeout=10).active_queues()
    return said[worker.node][0]["name"]


def _get(ticket: AsyncResult, worker: Any) -> Any:
    """What the task gives; a worker that ends before is an error at once."""
    worker.wait_for("it ended", ticket.ready, timeout=30)
    return ticket.get(timeout=5)
