"""Asyncio and aiohttp in this process: no queue, no worker, and nothing left when the process ends."""

import asyncio
from collections.abc import Sequence
from typing import Any

from . import work

NAME = "asyncio"
DOCS = ("https://docs.aiohttp.org/en/stable/client_advanced.html#limiting-connection-pool-size",)
BEST = "single"
KILLED = ""
WORKERS: dict[str, list[list[str]]] = {"five": [], "single": []}


def send(task: str, arguments: Sequence[Any], *, safe: bool = False) -> list[Any]:
    """The arguments themselves: what there is to do begins with the event loop."""
    if task != "fetch":
        raise ValueError(f"asyncio only fetches here, it does not {task}")
    return list(arguments)


def answers(tickets: Sequence[Any], timeout: float) -> list[Any]:
    async def within() -> list[Any]:
        return await asyncio.wait_for(work.gather(list(tickets)), timeout)

    return asyncio.run(within())
