"""The exercises of notebook 09, Nothing lost: for each its check, a hint, and one
solution."""

import os
from signal import SIGKILL
from types import ModuleType
from typing import Any

import lab
from lab.cells.exercises import hint, in_module
from tasks import app

QUEUE = "shipping"


@hint("One option says when the message is acked, the other what a lost process means.")
def check_ship(my_shipping: ModuleType) -> None:
    ship: Any = getattr(my_shipping, "ship", None)
    assert hasattr(ship, "delay"), "my_shipping has no task ship"
    assert not hasattr(ship, "ack_late"), "the option is called acks_late"
    store = app.backend.client
    _forget_parcels()
    victim = lab.worker(concurrency=2, queues=QUEUE, include="packing,my_shipping")
    try:
        one, two = (_send(ship, f"parcel-{number}") for number in (1, 2))
        victim.wait_for(
            "both began", lambda: one.state == two.state == "STARTED", timeout=20
        )
        os.kill(one.info["pid"], SIGKILL)

        def was_noticed() -> bool:
            """Somebody begins with it once more, or it counts as failed."""
            return int(store.hget("starts", one.id)) == 2 or one.ready()

        victim.wait_for("the kill worked", was_noticed, timeout=30)
        after_process = one.state
        victim.kill()
        left = lab.xray().unacked
    finally:
        victim.kill()
        _forget_parcels()

    assert two.id in left, (
        "its worker was killed, and the message is nowhere: "
        "it was acknowledged too early"
    )
    assert after_process != "FAILURE", (
        "its process was killed, and that was taken for a failure of the task"
    )


def _send(task: Any, order: str) -> Any:
    """Send an order under its own name."""
    return task.apply_async([order], task_id=order, queue=QUEUE)


def _forget_parcels() -> None:
    """Nothing is left of an earlier check, and the gate of packing.py is closed."""
    store = app.backend.client
    results = store.scan_iter("celery-task-meta-parcel-*")
    store.delete("unacked", "unacked_index", QUEUE, "starts", "gate", *results)


@in_module("my_shipping")
def solve_ship() -> object:
    from packing import pack

    from tasks import app

    @app.task(acks_late=True, reject_on_worker_lost=True)
    def ship(order):
        return pack.run(order)

    return ship


MINUTE, HOUR = 60, 3600
# For how long, in seconds, one message is unacknowledged at most.
HELD = {
    "an export that takes long": 45 * MINUTE,
    "a retried print": 2 * HOUR + 20 * MINUTE,
    "a reminder that waits for an export to end": 3 * HOUR + 45 * MINUTE,
}


@hint("A worker's message is unacked while it waits for its time, and while it runs.")
def check_visibility_timeout(visibility_timeout: float) -> None:
    assert isinstance(visibility_timeout, int | float), "give a number of seconds"
    for what, seconds in HELD.items():
        assert visibility_timeout > seconds, f"{what} would be run twice"
    killed = "an export whose worker was killed would not be back within a day"
    assert visibility_timeout < 24 * HOUR, killed


def solve_visibility_timeout() -> float:
    visibility_timeout = 4 * 3600  # more than three hours of countdown and an export
    return visibility_timeout
