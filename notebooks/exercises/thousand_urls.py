"""The exercises of notebook 12, A thousand URLs: for each its check, a hint, and one
solution."""

import time
from collections.abc import Callable
from math import ceil
from typing import Any

import lab
from lab.cells.exercises import hint
from tasks import app

URLS, LATENCY, PROCESSES, MOST = 200, 0.3, 5, 60  # as the exercise has it


def _urls(number: int, latency: float) -> list[str]:
    page = f"photos?limit=1&latency={latency}"
    return [f"{lab.fb.url}/v1/user-{n}/{page}" for n in range(number)]


@hint("How many batches does each process get? One round means one.")
def check_batch_size(size: int, fetch_batch: Any) -> None:
    whole = isinstance(size, int) and 1 <= size <= MOST
    assert whole, f"a whole number from 1 to {MOST}, not {size!r}"
    worker = lab.worker(PROCESSES, queues="yours", include="bulk")

    def fetch(urls: list[str], size: int) -> int:
        """The pages that come in batches of this size."""
        batches = [urls[first : first + size] for first in range(0, len(urls), size)]
        tickets = [fetch_batch.apply_async([each], queue="yours") for each in batches]
        return sum(len(ticket.get(timeout=30)) for ticket in tickets)

    try:
        fetch(_urls(PROCESSES, 0.1), 1)  # the first batch of a process is slower
        begin = time.perf_counter()
        pages = fetch(_urls(URLS, LATENCY), size)
        took = time.perf_counter() - begin
    finally:
        worker.kill()

    batches = ceil(URLS / size)
    rounds = ceil(batches / PROCESSES)
    assert pages == URLS, "not all were fetched"
    assert took >= LATENCY * rounds, "faster than possible: run the check again"
    print(f"It took {took:.2f} s.")
    told = f"{batches} batches on {PROCESSES} processes are {rounds} rounds"
    assert rounds == 1, told


def solve_batch_size() -> int:
    size = 40  # five batches, one for each process
    return size


BOUND, LEFT = 20, 5


@hint("LLEN tells how many messages wait: ask before you send.")
def check_offer(offer: Callable[[float], bool]) -> None:
    shelf = app.backend.client
    shelf.delete("shelf")
    try:
        accepted = [offer(0.1) for _ in range(BOUND + 10)]
        waiting = shelf.llen("shelf")
        shelf.rpop("shelf", LEFT)
        again = [offer(0.1) for _ in range(LEFT + 1)]
    finally:
        shelf.delete("shelf")

    assert waiting <= BOUND, f"{waiting} messages wait, and {BOUND} are the bound"
    room = f"only {waiting} messages wait: there was room for {BOUND}"
    assert waiting == BOUND, room
    told = "it should return whether it has sent"
    assert accepted == [True] * BOUND + [False] * 10, told
    left = f"after {LEFT} have left there is room for {LEFT}"
    assert again == [True] * LEFT + [False], left


def solve_offer(r: Any, nap: Any) -> Callable[..., bool]:
    def offer(seconds, queue="shelf"):
        if r.llen(queue) >= 20:
            return False
        nap.apply_async([seconds], queue=queue, ignore_result=True)
        return True

    return offer
