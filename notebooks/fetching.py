"""How notebook 12, A thousand URLs, asks for its pages and compares the ways to do so.

The notebook shows its tasks. Here are the members' URLs, the way with asyncio, and what
measures: a race of all ways, and what Redis counts.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from statistics import median
from typing import Any

from celery import group
from tornado.simple_httpclient import SimpleAsyncHTTPClient

import lab
from tasks import app, fetch_url

Fetch = Callable[[], list[Any]]  # one way to get all pages, in the order of the URLs


def urls_of(members: int, latency: float = 2) -> list[str]:
    """A page with one photo for each of so many members; an answer takes `latency`
    seconds."""
    page = f"photos?limit=1&latency={latency}"
    return [f"{lab.fb.url}/v1/user-{n}/{page}" for n in range(members)]


def batches_of(urls: list[str], size: int) -> list[list[str]]:
    """The same URLs in lists of so many."""
    return [urls[first : first + size] for first in range(0, len(urls), size)]


async def fetch_all(urls: list[str]) -> list[Any]:
    """GET all URLs at once on one event loop: the answers, in the order of the URLs."""
    client = SimpleAsyncHTTPClient(force_instance=True, max_clients=len(urls))
    try:
        calls = [
            client.fetch(url, connect_timeout=30, request_timeout=30) for url in urls
        ]
        return [json.loads(answer.body) for answer in await asyncio.gather(*calls)]
    finally:
        client.close()


def run_fetch_all(urls: list[str]) -> list[Any]:
    """As `await fetch_all(urls)`, from a function: on an event loop of a new thread,
    because the notebook's own loop is busy with its cell."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, fetch_all(urls)).result()


def timed(
    fetch: Callable[..., Any], *arguments: Any, **options: Any
) -> tuple[Any, float]:
    """What this function returns, and the seconds that it takes."""
    begin = time.perf_counter()
    answer = fetch(*arguments, **options)
    return answer, time.perf_counter() - begin


def warm_up(*workers: Any) -> None:
    """Let each worker make two hundred short calls: its processes load what they need,
    and the mock Facebook makes up its members."""
    for worker in workers:
        queue = worker.ready().queue
        short = group(fetch_url.s(url) for url in urls_of(100, 0.1))
        for _ in range(2):
            short.apply_async(queue=queue).get(timeout=60, interval=0.01)


@dataclass(frozen=True)
class Finish:
    """How a way did: the medians of its turns."""

    seconds: float  # of the clock, from the first call to the last answer
    cost: float  # milliseconds of processor time for each answer


def race(ways: Mapping[str, Fetch], *workers: Any, turns: int = 3) -> dict[str, Finish]:
    """Let the ways fetch their pages, one after the other, in so many turns.

    The processor time is that of all who take part: these workers, the mock Facebook,
    Redis, and this notebook. All ways must return the same pages.
    """
    others = [*workers, lab.fb.process, lab.redis.process]
    turns_of: dict[str, list[Finish]] = {name: [] for name in ways}
    seen = []
    for turn in range(turns):
        order = list(ways.items())  # each turn begins with another way
        for name, fetch in order[turn:] + order[:turn]:
            with ExitStack() as watches:
                usages = [
                    watches.enter_context(lab.watch_cpu(name, *who))
                    for who in (others, [])  # the second: this notebook
                ]
                seen.append(fetch())
            used = sum(usage.seconds for usage in usages)
            cost = 1000 * used / len(seen[-1])
            turns_of[name].append(Finish(usages[1].took, cost))
    assert all(pages == seen[0] for pages in seen), "the ways differ in their pages"
    return {
        name: Finish(*map(median, zip(*map(astuple, finishes), strict=True)))
        for name, finishes in turns_of.items()
    }


def asked_of_redis(
    fetch: Callable[..., list[Any]], *arguments: Any
) -> dict[str, float]:
    """The connections and commands that Redis gets for each page while all are
    fetched, by Redis's own counters."""
    counters = {
        "connections": "total_connections_received",
        "commands": "total_commands_processed",
    }
    before = app.backend.client.info("stats")
    pages = len(fetch(*arguments))
    now = app.backend.client.info("stats")
    return {
        name: round((now[key] - before[key]) / pages, 2)
        for name, key in counters.items()
    }


def wait_until_ended(tickets: Any, worker: Any) -> None:
    """Wait until each of these tasks has a result, or ended with an error that is in
    the worker's log alone. (The worker has run no other tasks.)"""

    def ended() -> bool:
        errors = worker.log().count("failed with MaxConnectionsError")
        return sum(ticket.ready() for ticket in tickets) + errors >= len(tickets)

    worker.wait_for("all had ended", ended, timeout=40)
