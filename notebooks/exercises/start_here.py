"""The exercise of notebook 00, Start here: its check, a hint, and one solution."""

from math import ceil

import lab
from lab.cells.exercises import hint
from tasks import fetch_url

EDGES = ("photos", "posts", "likes", "friends", "events")
PROCESSES = 2
LATENCY = 2  # seconds, of each call


@hint("Draw two lanes on paper. Put five bars into them, each two seconds long.")
def check_two_processes(seconds: float) -> None:
    assert isinstance(seconds, int | float), f"write a number, not {seconds!r}"
    assert seconds, "guess first: replace the zero with your number"

    urls = [f"{lab.fb.url}/v1/ada/{edge}?latency={LATENCY}" for edge in EDGES]
    title = "Five calls on two processes"
    with lab.worker(PROCESSES, queues="two"), lab.watch(title) as run:
        tickets = [fetch_url.apply_async([url], queue="two") for url in urls]
        for ticket in tickets:
            ticket.get(timeout=30)

    shortest = ceil(len(run.tasks) / run.peak) * LATENCY
    took = run.took or 0
    busy = f"the machine is busy, the calls took {took:.2f} s: run the check again"
    assert run.peak == PROCESSES and shortest <= took < shortest + LATENCY, busy

    count = "count the bars in the longer lane, and their seconds"
    assert abs(seconds - shortest) < 0.5, f"not {seconds} s: {count}"


def solve_two_processes() -> float:
    seconds = 6  # three rounds of two seconds: two calls, two calls, one call
    return seconds
