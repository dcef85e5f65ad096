"""What every peer is asked to do. The functions are plain: each peer makes tasks of them in its own way."""

import asyncio
import threading
import time
from typing import Any

CONNECT, READ = 10, 120  # seconds; with a thousand calls at once a connection waits for its turn

_local = threading.local()


def echo(number: int) -> int:
    """Nothing, and the same number back: what is left is the queue's own cost."""
    return number


def fetch(url: str) -> Any:
    """GET one URL, on a connection that this thread (or greenlet) keeps, and return the JSON it answers with.

    Raises `requests.RequestException`, also on a status of 400 and above.
    """
    import requests  # here, because peers that fetch with aiohttp shall not carry it

    if not hasattr(_local, "session"):
        _local.session = requests.Session()
        _local.session.trust_env = False  # no proxy in between, and no look for one at each call
    response = _local.session.get(url, timeout=(CONNECT, READ))
    response.raise_for_status()
    return response.json()


def fetch_many(urls: list[str]) -> list[Any]:
    """GET all at once, in an event loop that lives as long as this call, and return the answers in order."""
    return asyncio.run(gather(urls))


async def gather(urls: list[str]) -> list[Any]:
    """GET all at once. Raises `aiohttp.ClientError`, also on a status of 400 and above."""
    import aiohttp

    # A connector has 100 connections by default: the others would wait for one.
    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=READ)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, raise_for_status=True) as session:
        return await asyncio.gather(*(get(session, url) for url in urls))


async def get(session: Any, url: str) -> Any:
    """GET one URL on a session of aiohttp's and return the JSON it answers with."""
    async with session.get(url) as response:
        return await response.json()


def hold(token: str, seconds: float) -> None:
    """Note in Redis that it begins, take some seconds, note that it is done: two counters under the token."""
    note(token, "begun")
    time.sleep(seconds)
    note(token, "done")


def note(token: str, what: str) -> None:
    """Count it, on a connection of its own, so that the queue's connections are not touched."""
    import redis

    from .connection import REDIS_URL

    with redis.Redis.from_url(REDIS_URL) as client:
        client.incr(f"{token}:{what}")
