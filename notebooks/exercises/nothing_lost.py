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
PARCELS = ("tripod", "frame")


@hint("What can you send along, so that the carrier knows an order that it has booked?")
def check_ship(my_shipping: ModuleType) -> None:
    from notebooks.bench import release, starts

    ship: Any = getattr(my_shipping, "ship", None)
    assert hasattr(ship, "delay"), "my_shipping has no task ship"
    _forget_parcels()
    worker = lab.worker(concurrency=2, queues=QUEUE, include="my_shipping")
    try:
        tickets = [
            ship.apply_async([order], task_id=order, queue=QUEUE) for order in PARCELS
        ]
        first = tickets[0]
        worker.wait_for(
            "the carrier was asked",
            lambda: all(
                starts(order) or app.AsyncResult(order).ready() for order in PARCELS
            ),
            timeout=20,
        )
        assert not first.ready(), (
            f"it ended before the carrier was asked: {first.result}"
        )
        worker.wait_until_full()
        os.kill(first.info["pid"], SIGKILL)
        worker.wait_for(
            "the kill worked", lambda: starts(first.id) > 1 or first.ready(), timeout=30
        )
        release(*PARCELS)
        for ticket in tickets:
            worker.wait_for("it was shipped", ticket.ready, timeout=30)
        booked = {order: _booked(order) for order in PARCELS}
        numbers = {ticket.id: ticket.result for ticket in tickets}
        states = {ticket.state for ticket in tickets}
    finally:
        worker.kill()
        _forget_parcels()

    assert states == {"SUCCESS"}, (
        "its process was killed, and the order did not come back: keep both options"
    )
    assert max(map(len, booked.values())) < 2, (
        "its process was killed, ship ran again, and the carrier booked two parcels "
        "for one order"
    )
    assert all(booked.values()), "one of two orders got no parcel of its own"
    assert all([numbers[order]] == booked[order] for order in PARCELS), (
        "the run after the kill must return the number of the order's parcel"
    )


def _booked(order: str) -> list[str]:
    """The numbers of all parcels that the carrier booked for this order."""
    return [
        number.decode()
        for number in app.backend.client.lrange(f"carrier:{order}", 0, -1)
    ]


def _forget_parcels() -> None:
    """Nothing is left of an earlier check."""
    store = app.backend.client
    results = store.scan_iter("celery-task-meta-*")
    mine = [key for key in results if key.decode().endswith(PARCELS)]
    store.delete(
        "unacked", "unacked_index", QUEUE, *store.scan_iter("carrier:*"), *mine
    )
    for name in ("starts", "released"):
        store.hdel(name, *PARCELS)


@in_module("my_shipping")
def solve_ship() -> object:
    from notebooks.bench import book_parcel
    from tasks import app

    @app.task(acks_late=True, reject_on_worker_lost=True)
    def ship(order):
        # The order's own name: every run sends the same key, and no other order does.
        return book_parcel(order, key=order)

    return ship


MINUTE, HOUR = 60, 3600
BACK_WITHIN = 2 * HOUR
EXPORT = 45 * MINUTE  # the longest wait for the process
#: For each task: seconds of countdown or retry delay, and seconds of run that its
#: message is unacknowledged.
TASKS = {
    "resize": (0, 10),
    "export": (0, EXPORT),
    "remind": (3 * HOUR, 0),
    "print_photo": (30 * MINUTE, 20 * MINUTE),
}


@hint("Add up what one message waits for. What is longer than two hours can't be held.")
def check_visibility_timeout(
    visibility_timeout: float, from_database: list[str]
) -> None:
    assert isinstance(visibility_timeout, int | float), "give a number of seconds"
    unknown = set(from_database) - set(TASKS)
    assert not unknown, (
        f"from_database: there is no task {', '.join(map(str, unknown))}"
    )
    idle = [name for name in from_database if not TASKS[name][0]]
    assert not idle, f"from_database: {', '.join(idle)} has no time to wait for"
    for name, (delay, run) in TASKS.items():
        held = (0 if name in from_database else delay) + EXPORT + run
        assert held <= BACK_WITHIN, (
            f"a worker holds {name} longer than two hours, so no timeout fits"
        )
        assert visibility_timeout > held, f"{name} may run twice though nobody died"
    assert visibility_timeout <= BACK_WITHIN, (
        "an export whose worker was killed would not be back within two hours"
    )


def solve_visibility_timeout() -> tuple[float, list[str]]:
    visibility_timeout = 6000  # a retry's 30 minutes, an export's 45 and a print's 20
    from_database = ["remind"]  # three hours in a worker's memory fit no timeout
    return visibility_timeout, from_database
