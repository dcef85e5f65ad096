"""What notebook 09b, The outbox, does again and again with the shop of `shop.py`."""

import time
from collections.abc import Mapping

from celery import Task

import lab
from lab.services.worker import Worker
from shop import Outbox, database

LOOK = 0.2  # seconds between two rounds of the relay


def empty_shop() -> None:
    """Forget all orders and charges."""
    with database() as db:
        db.execute("DELETE FROM outbox")
        db.execute("DELETE FROM charges")


def wait_at_the_bank(
    worker: Worker, outbox: Outbox, orders: Mapping[str, Task]
) -> None:
    """Send an order with each task, and return when the bank has all requests.

    It takes the money at once, and answers after 30 seconds.
    """
    lab.fb.fail("charges", latency=30, times=len(orders))
    for order, task in orders.items():
        outbox.send(task, order, order, 25)
    worker.wait_for(
        "the bank was asked",
        lambda: lab.fb.witness().in_flight == len(orders),
        timeout=20,
    )


def wait_until_done(worker: Worker, outbox: Outbox) -> None:
    """A relay looks again and again, until all orders are done."""
    worker.wait_for(
        "all orders were done",
        lambda: outbox.relay() is not None and not outbox.unfinished(),
        timeout=60,
    )


def rush(
    ways: Mapping[str, tuple[Task, float]], orders: int, bank: float
) -> dict[str, dict[str, float]]:
    """Many orders at once, with each way's task and deadline, for `lab.draw_panels`.

    A worker must be up. The bank takes so many seconds for each request.
    """
    lab.fb.fail("charges", latency=bank)
    panels: dict[str, dict[str, float]] = {"messages": {}, "requests to the bank": {}}
    for way, (task, deadline) in ways.items():
        empty_shop()
        lab.fb.forget()
        outbox = Outbox(deadline)
        sent = sum(outbox.send(task, f"{n}", f"{n}", 25) for n in range(orders))
        while outbox.unfinished() or _is_busy():
            sent += len(outbox.relay())
            time.sleep(LOOK)
        panels["messages"][way] = sent
        panels["requests to the bank"][way] = len(lab.fb.witness().requests)
    lab.fb.heal()
    return panels


def _is_busy() -> bool:
    seen = lab.xray()
    return bool(seen.unacked or seen.queues["celery"])
