"""A thread pool in this process: no queue, no worker, and nothing left when the process ends."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from . import work
from .connection import as_tuple

NAME = "thread pool"
DOCS = ("https://docs.python.org/3/library/concurrent.futures.html#threadpoolexecutor",)
BEST = "single"
KILLED = ""
WORKERS: dict[str, list[list[str]]] = {"five": [], "single": []}
THREADS = 1000

_pool = ThreadPoolExecutor(THREADS)


def send(task: str, arguments: Sequence[Any], *, safe: bool = False) -> list[Any]:
    return [_pool.submit(getattr(work, task), *as_tuple(argument)) for argument in arguments]


def answers(tickets: Sequence[Any], timeout: float) -> list[Any]:
    return [ticket.result(timeout=timeout) for ticket in tickets]
