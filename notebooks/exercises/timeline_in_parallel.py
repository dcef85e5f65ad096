"""The exercise of notebook 05, The timeline in parallel: its check, a hint, and one
solution."""

from collections.abc import Callable
from typing import Any

import lab
from lab.cells.exercises import hint
from tasks import fetch_url

EDGES = ("photos", "posts", "likes", "friends", "events")


def _urls(query: str) -> list[str]:
    return [f"{lab.fb.url}/v1/ada/{edge}?{query}" for edge in EDGES]


@hint("Send all messages first. Wait for answers only after the last message is sent.")
def check_read_timeline(read_timeline: Callable[[list[str]], list[Any]]) -> None:
    with lab.watch("Your read_timeline") as yours:
        answers = read_timeline(_urls("latency=1"))

    told = f"it returned {str(answers):.60}, not the answers"
    assert answers and all(isinstance(each, dict) for each in answers), told
    sent, calls = len(yours.tasks), len(EDGES)
    assert sent == calls, f"{sent} tasks were sent, and there are {calls} URLs to fetch"
    right = [fetch_url(url)["data"] for url in _urls("latency=0")]
    in_order = [each.get("data") for each in answers] == right
    assert in_order, "the answers are not those of the URLs, in the order of the URLs"
    peak = yours.peak
    at_once = f"the server never saw more than {peak} of your {calls} calls at once"
    assert peak == calls, at_once
    took = yours.took or 0
    told = f"it took {took:.2f} s, and one round takes 1 s"
    assert 1 <= took < 2, f"{told}: are these the urls it was given?"


def solve_read_timeline() -> Callable[[list[str]], list[Any]]:
    def read_timeline(urls):
        """The answers for all URLs, in the order of the URLs."""
        tickets = [fetch_url.delay(url) for url in urls]
        return [ticket.get(timeout=30) for ticket in tickets]

    return read_timeline
