"""What notebook 08b, What a fork copies, asks a worker with two processes.

The tasks are in modules that the notebook writes: `vouchers`, `friends`, `chores`.
"""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from signal import SIGCONT, SIGSTOP
from typing import Any

from billiard import set_start_method
from celery import Task
from celery.result import AsyncResult
from celery.signals import worker_init

import lab
from lab.services.worker import Worker


@worker_init.connect
def fork_on_macos(**_: Any) -> None:
    """In a worker that knows this module, before it makes its processes.

    On macOS, billiard spawns unless it is asked itself; the setting alone does nothing.
    """
    if sys.platform == "darwin":
        set_start_method("fork", force=True)


def in_each_process(worker: Worker, task: Task, *, least: int = 3) -> list[list[int]]:
    """The numbers that the task gives in each of two processes, in their order.

    It is sent twice at the same moment, until each process has given so many. It gives
    the id of its process and a number.
    """
    given: dict[int, list[int]] = {}
    for _ in range(10 * least):
        for ticket in [task.apply_async(queue=worker.queue) for _ in range(2)]:
            pid, number = _get(ticket, worker)
            given.setdefault(pid, []).append(number)
        if len(given) == 2 and min(map(len, given.values())) >= least:
            return list(given.values())
    raise RuntimeError(f"one process ran nearly all: {given}. {worker.tail()}")


def one_interrupted(worker: Worker, task: Task, users: Sequence[str]) -> list[Any]:
    """What the task gives for two users. The first one's process has asked, and is
    stopped until the second one has its answer, as on a machine that is busy."""
    first, second = users
    lab.fb.forget()
    slow = task.apply_async([first], queue=worker.queue)
    worker.wait_for(
        f"{first}'s request was there",
        lambda: lab.fb.witness().in_flight == 1 or slow.failed(),
        timeout=30,
    )
    if slow.failed():
        slow.get(timeout=5)
    pid = slow.info["pid"]  # of a task that is STARTED
    os.kill(pid, SIGSTOP)
    try:
        quick = _get(task.apply_async([second], queue=worker.queue), worker)
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, SIGCONT)
    return [_get(slow, worker), quick]


def ask_all(worker: Worker, voucher: Task, owner: Task, shout: Task) -> dict[str, Any]:
    """All that the notebook asks, of one worker, and the megabytes that it takes."""
    one, other = in_each_process(worker, voucher)
    ada, bob = one_interrupted(worker, owner, ["ada", "bob"])
    done = shout.apply_async(["done"], queue=worker.queue)
    worker.wait_for(f"{shout.name} ended", done.ready, timeout=30)
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
        (old, last), (new, first) = before.get(timeout=5), after.get(timeout=5)
        if old != new:
            gap = (after.date_done - before.date_done).total_seconds()
            found.append((last, first, gap))
    return found


def owner_of(page: dict[str, Any]) -> str:
    """Whose friends a page of the mock Facebook lists: their pictures' URLs say it."""
    return page["data"][0]["picture"]["data"]["url"].split("/")[-2]


def _get(ticket: AsyncResult, worker: Worker) -> Any:
    """What the task gives; a worker that ends before is an error at once."""
    worker.wait_for(f"task {ticket.id} ended", ticket.ready, timeout=30)
    return ticket.get(timeout=5)
