"""What a peer is, and which there are."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol

MODULES = ("celery_peer", "rq_peer", "dramatiq_peer", "huey_peer", "taskiq_peer", "threads_peer", "asyncio_peer")


class Peer(Protocol):
    """The interface of each module in `MODULES`.

    `WORKERS` has, for each use, the command lines of its workers; a peer without queue has none. The uses:

    five     five slots, for five calls at once
    batches  ten slots or what serves a hundred calls a task best; each task is `fetch_many`
    single   as many slots as the peer is good for; each task is one `fetch`
    noop     what serves no-op tasks best on two cores
    default  two slots, with the delivery that the peer has by default
    safe     two slots, with the safest delivery that it documents

    Two things that few have: variables of the workers' environment, by use, in `ENVIRONMENT`; and, where workers look
    after lost tasks every few minutes and can't be set to do so sooner, `recover() -> bool`: do it now, and say whether
    some were put aside for a person.
    """

    NAME: str
    DOCS: Sequence[str]  # where its documentation says so
    BEST: str  # the use that serves a thousand calls fastest: batches or single
    KILLED: str  # what was shortened or forced to see within seconds what a kill leads to, and its default
    WORKERS: Mapping[str, list[list[str]]]

    def send(self, task: str, arguments: Sequence[Any], *, safe: bool = False) -> list[Any]:
        """Send `echo`, `fetch`, `fetch_many` or `hold` once for each argument (a tuple: several); return tickets."""

    def answers(self, tickets: Sequence[Any], timeout: float) -> list[Any]:
        """Wait for the answers, in order. Raises after `timeout` seconds, or what a task raised."""


def load(name: str) -> Peer:
    """The peer in a module of `MODULES`; the lab must be open."""
    return import_module(f".{name}", __package__)
