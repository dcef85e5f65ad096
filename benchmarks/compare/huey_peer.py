"""Huey: one consumer with threads, processes or greenlets."""

import sys
from collections.abc import Sequence
from typing import Any

from huey import RedisHuey

from . import work
from .connection import PACKAGE, PATIENT_URL, as_tuple, script

NAME = "Huey"
DOCS = (
    "https://huey.readthedocs.io/en/latest/consumer.html#worker-types",
    "https://huey.readthedocs.io/en/latest/api.html#RedisHuey",  # notify_result: no polling for results
)
BEST = "batches"
KILLED = "nothing: a message has left Redis when its task begins, and Huey documents no other way"

huey = RedisHuey("compare", url=PATIENT_URL, notify_result=True)
TASKS = {each.__name__: huey.task()(each) for each in (work.echo, work.fetch, work.fetch_many, work.hold)}


def consumer(kind: str, workers: int) -> list[str]:
    # There are no periodic tasks, so nobody need look for them each second.
    options = ("--worker-type", kind, "--workers", workers, "--no-periodic", "-q")
    command = script("huey_consumer", f"{PACKAGE}.huey_peer.huey", *options)
    # Greenlets need a patched standard library, and the consumer leaves that to who starts it.
    return [sys.executable, "-m", "gevent.monkey", *command] if kind == "greenlet" else command


WORKERS = {
    "five": [consumer("thread", 5)],
    "batches": [consumer("process", 10)],
    "single": [consumer("greenlet", 500)] * 2,
    "noop": [consumer("process", 2)],
    "default": [consumer("process", 2)],
    "safe": [consumer("process", 2)],
}


def send(task: str, arguments: Sequence[Any], *, safe: bool = False) -> list[Any]:
    return [TASKS[task](*as_tuple(argument)) for argument in arguments]


def answers(tickets: Sequence[Any], timeout: float) -> list[Any]:
    return [ticket.get(blocking=True, timeout=timeout) for ticket in tickets]
