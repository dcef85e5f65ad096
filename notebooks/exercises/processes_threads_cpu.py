"""The exercises of notebook 08, Processes, threads and CPU: for each its check, a hint,
and one solution."""

from collections.abc import Callable
from math import ceil
from types import ModuleType
from typing import Any

import psutil

import lab
from lab.cells.exercises import hint, in_module
from tasks import fetch_url

CALLS, LATENCY, LIMIT = 12, 1, 3  # the last two in seconds
ROUNDS_SECONDS = 0.15  # of processor time, for which `rounds` stands in the notebook
LONG = 14  # times that, for the long task


def _page(latency: float) -> str:
    return f"{lab.fb.url}/v1/ada/photos?latency={latency}"


def _needed(processes: int) -> int:
    """The seconds that all calls need on so many processes."""
    return ceil(CALLS / processes) * LATENCY


@hint("How many rounds of 1 s fit into less than 3 s? Divide 12 calls by that number.")
def check_fewest_processes(processes: int) -> None:
    whole = isinstance(processes, int) and 1 <= processes <= 2 * CALLS
    assert whole, f"a whole number from 1 to {2 * CALLS}, not {processes!r}"
    yours = lab.worker(processes, queues="mine")

    def fetch(calls: int, latency: float) -> None:
        urls = [_page(latency)] * calls
        tickets = [fetch_url.apply_async([url], queue="mine") for url in urls]
        for ticket in tickets:
            ticket.get(timeout=30)

    try:
        fetch(processes, 0.1)  # the first call of a process loads what it needs
        with lab.watch(f"Twelve calls on {processes} processes") as run:
            fetch(CALLS, LATENCY)
    finally:
        yours.kill()

    needed, seconds = _needed(processes), run.took or 0
    took = f"{seconds:.2f} s"
    all_work = run.peak == min(processes, CALLS)
    assert all_work, f"only {run.peak} at once: run the check again"
    rounds = f"{processes} processes need {needed} rounds"
    assert needed < LIMIT, f"{rounds}, and it took {took}"
    busy = "a busy machine, run it again"
    assert seconds < LIMIT, f"it took {took}, not about {needed}: {busy}"
    fewest = next(number for number in range(1, CALLS + 1) if _needed(number) < LIMIT)
    enough = f"fast enough in {took}, but fewer than {processes} would do"
    assert processes == fewest, enough


def solve_fewest_processes() -> int:
    processes = 6  # two rounds
    return processes


def _worked(worker: Any) -> float:
    """Seconds of processor time that the worker's own process has used."""
    times = psutil.Process(worker.pid).cpu_times()
    return times.user + times.system


@hint("n % 10_000 is 0 once in ten thousand steps.")
def check_compute_kindly(
    kind: ModuleType, compute: Callable[[int], int], rounds: int
) -> None:
    task: Any = getattr(kind, "compute_kindly", None)
    assert hasattr(task, "delay"), "kind has no task compute_kindly"
    yours = lab.worker(10, "gevent", "kind", include="kind")
    about = LONG * ROUNDS_SECONDS
    try:
        number = task.apply_async([25_000], queue="kind").get(timeout=30)
        before = _worked(yours)
        long = task.apply_async([LONG * rounds], queue="kind")
        yours.wait_for("it computed", lambda: _worked(yours) > before + 0.2, timeout=20)
        fetch_url.apply_async([_page(0)], queue="kind").get(timeout=30)
        overtaken = not long.ready()
        yours.wait_for(
            "it was done",
            lambda: long.ready() or _worked(yours) > before + 4 * about,
            timeout=40,
        )
        used = _worked(yours) - before
    finally:
        yours.kill()

    assert number == compute(25_000), "it computes another number than before"
    assert overtaken, "a short call had to wait until the long task was over"
    cost = f"it needs {used:.1f} s of processor time instead of about {about:.0f}"
    assert used < 3 * about, f"{cost}: too many pauses"


@in_module("kind")
def solve_compute_kindly() -> object:
    import gevent

    from tasks import app

    @app.task
    def compute_kindly(rounds):
        """A number that takes Python many small steps, with pauses for others."""
        number = 0
        for n in range(rounds):
            number = (number * 31 + n) % 4294967291
            if n % 10_000 == 0:
                gevent.sleep(0)
        return number

    return compute_kindly
