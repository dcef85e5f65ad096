"""The exercises of notebook 04, Worker execution: for each its check, a hint, and one
solution."""

import time
from collections.abc import Callable
from signal import SIGQUIT
from typing import Any
from uuid import uuid4

import lab
from lab.cells.exercises import hint
from tasks import app, fetch_url


def _send(seconds: float, queue: str) -> Any:
    """A task of so many seconds. Its id is chosen, so that the x-ray shows that."""
    url = f"{lab.fb.url}/v1/ada/photos?limit=1&latency={seconds}"
    id = f"{queue}-{uuid4().hex[:8]}"
    return fetch_url.apply_async([url], task_id=id, queue=queue)


@hint("Each process runs one task; the multiplier counts, for each, what is not acked.")
def check_full_worker(running: int, reserved: int, waiting: int) -> None:
    given = (running, reserved, waiting)
    assert None not in given, "guess first, and replace each None with your number"
    app.backend.client.delete("full")  # the queue, with what an earlier check left
    full = lab.worker(concurrency=2, queues="full", prefetch_multiplier=3)
    try:
        for _ in range(12):
            _send(30, "full")
        ask = app.control.inspect([full.node], timeout=5)

        def counted() -> tuple[int, int, int]:
            active, kept = ask.active() or {}, ask.reserved() or {}
            waits = lab.xray().queues.get("full", [])
            return (
                len(active.get(full.node, [])),
                len(kept.get(full.node, [])),
                len(waits),
            )

        def settled() -> tuple[int, int, int] | None:
            """What it has, once it takes no more."""
            seen = counted()
            time.sleep(0.5)
            return seen if seen[0] and sum(seen) == 12 and seen == counted() else None

        found = full.wait_for("it was full", settled, timeout=20)
    finally:
        full.signal(SIGQUIT)
        full.wait_end()

    assert running == found[0], f"it is not {running!r} that run"
    assert reserved == found[1], f"it is not {reserved!r} that are reserved"
    assert waiting == found[2], f"it is not {waiting!r} that wait in the queue"


def solve_full_worker() -> tuple[int, int, int]:
    running = 2  # one for each process
    reserved = 6  # two processes, three messages for each; those that run are acked
    waiting = 4  # the rest
    return running, reserved, waiting


@hint("Which way to stop finishes what runs? A signal or app.control, then wait_end().")
def check_retire(retire: Callable[[Any], None]) -> None:
    app.backend.client.delete("retiring")  # the queue, with what an earlier check left
    old = lab.worker(concurrency=1, queues="retiring")
    try:
        first, *others = [_send(1.5, "retiring") for _ in range(3)]

        def has_two() -> bool:
            unacked = lab.xray().unacked
            is_acked = first.state == "STARTED" and first.id not in unacked
            return is_acked and others[0].id in unacked

        old.wait_for("it had two", has_two, timeout=20)
        retire(old)
        has_ended = old.returncode is not None
    finally:
        if old.returncode is None:
            old.kill()

    assert has_ended, "the worker still ran when the function returned"
    state = first.state
    assert state == "SUCCESS", f"the task that ran is lost: its state stays {state}"
    left = lab.xray().queues.get("retiring", [])
    waits = [ticket.id for ticket in others]
    assert left == waits, f"two tasks should wait for others, and there are {len(left)}"


def solve_retire() -> Callable[[Any], None]:
    def retire(worker):
        """End this worker. It has ended when the function returns."""
        app.control.shutdown(destination=[worker.node])  # or worker.signal(SIGTERM)
        worker.wait_end()

    return retire
