"""The exercise of notebook 00, Start here: its check, a hint, and one solution."""

from math import ceil

import lab
from lab.cells.exercises import hint
from tasks import fetch_url

EDGES = ("photos", "posts", "likes", "friends", "events")
LATENCY = 2  # seconds, of each call in the exercise
FASTER = 10  # times, in the check


@hint("Draw two lanes on paper and fill in five bars, each two seconds long.")
def check_two_processes(seconds: float) -> None:
    assert isinstance(seconds, int | float), f"write a number, not {seconds!r}"
    assert seconds, "guess first, and replace the zero with your number"

    page = f"{lab.fb.url}/v1/ada"
    urls = [f"{page}/{edge}?latency={LATENCY / FASTER}" for edge in EDGES]
    title = f"Five calls on two processes, {FASTER} times as fast"
    with lab.worker(concurrency=2, queues="two"), lab.watch(title) as run:
        tickets = [fetch_url.apply_async([url], queue="two") for url in urls]
        for ticket in tickets:
            ticket.get(timeout=30)

    rounds = ceil(len(run.tasks) / run.peak)
    shortest = rounds * LATENCY / FASTER
    took = run.took or 0
    busy = f"the calls took {took:.2f} s, the machine is busy: run the check again"
    assert run.peak == 2 and shortest <= took < 5 * shortest, busy
    picture = f"count the rounds in the picture, which is {FASTER} times as fast"
    assert round(seconds) == rounds * LATENCY, f"it is not {seconds} s: {picture}"


def solve_two_processes() -> float:
    seconds = 6  # three rounds of two seconds: two calls, two calls, one call
    return seconds
