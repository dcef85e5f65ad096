"""The exercises of notebook 05, The timeline in parallel: for each its check, a hint,
and one solution."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import lab
from lab.cells.exercises import hint, in_module
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


@hint("What makes fetch_url a task? Look at its source near the top of this notebook.")
def check_count_items(my_tasks: ModuleType) -> None:
    count_items: Any = getattr(my_tasks, "count_items", None)
    assert count_items, "my_tasks has no count_items"
    is_task = hasattr(count_items, "delay")
    assert is_task, "count_items is a function, not a task: no delay"
    worker = lab.worker(concurrency=5, queues="mine", include="my_tasks")
    with worker, lab.watch("Your task") as yours:
        urls = _urls("latency=1&limit=7")
        tickets = [count_items.apply_async([url], queue="mine") for url in urls]
        counts = [ticket.get(timeout=30) for ticket in tickets]

    right = [len(fetch_url(url)["data"]) for url in _urls("latency=0&limit=7")]
    assert counts == right, f"the five counts are {counts}, and they should be {right}"
    took = yours.took or 0
    told = f"it took {took:.2f} s, and one round takes 1 s"
    assert yours.peak == len(EDGES) and 1 <= took < 2, told


@in_module("my_tasks")
def solve_count_items() -> Callable[[str], int]:
    from tasks import app, fetch_url

    @app.task
    def count_items(url):
        """How many items the answer at this URL holds."""
        return len(fetch_url(url)["data"])

    return count_items
