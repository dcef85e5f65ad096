"""The exercises of notebook 04, Worker execution: for each its check, a hint, and one
solution."""

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


@hint("Each process runs one task; the multiplier counts its unacknowledged messages.")
def check_full_worker(running: int, reserved: int, waiting: int) -> None:
    given = (running, reserved, waiting)
    assert None not in given, "guess first, and replace each None with your number"
    app.backend.client.delete("full")  # the queue, with what an earlier check left
    full = lab.worker(concurrency=2, queues="full", prefetch_multiplier=3)
    try:
        for _ in range(12):
            _send(30, "full")
        full.wait_until_full()
        ask = app.control.inspect([full.node], timeout=5)
        found_running = len((ask.active() or {}).get(full.node, []))
        found_reserved = len((ask.reserved() or {}).get(full.node, []))
        found_waiting = len(lab.xray().queues.get("full", []))
    finally:
        full.signal(SIGQUIT)
        full.wait_end()

    assert running == found_running, f"it is not {running!r} that run"
    assert reserved == found_reserved, f"it is not {reserved!r} that are reserved"
    assert waiting == found_waiting, f"it is not {waiting!r} that wait in the queue"


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
        first, *others = [_send(2, "retiring") for _ in range(3)]
        old.wait_until_full()
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
