"""Dramatiq: threads in processes, or greenlets for many slow calls."""

from collections.abc import Sequence
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

from . import work
from .connection import PACKAGE, PATIENT_URL, USE, as_tuple, script

NAME = "Dramatiq"
DOCS = (
    "https://dramatiq.io/guide.html#workers",
    "https://dramatiq.io/cookbook.html#results",
    "https://dramatiq.io/reference.html#dramatiq.brokers.redis.RedisBroker",
    "https://dramatiq.io/reference.html#environment-variables",
)
BEST = "batches"
KILLED = "heartbeat_timeout 5 s (by default 60), looked for at every command (by default at one in a thousand)"

recovery = {"heartbeat_timeout": 5_000, "maintenance_chance": 1_000_000} if USE in ("default", "safe") else {}
broker = RedisBroker(url=PATIENT_URL, **recovery)
broker.add_middleware(Results(backend=RedisBackend(url=PATIENT_URL)))
dramatiq.set_broker(broker)

TASKS = {
    each.__name__: dramatiq.actor(each, store_results=True)
    for each in (work.echo, work.fetch, work.fetch_many, work.hold)
}


def worker(processes: int, threads: int, command: str = "dramatiq") -> list[list[str]]:
    return [script(command, f"{PACKAGE}.dramatiq_peer", "--processes", processes, "--threads", threads)]


# An idle worker asks Redis for messages again and again, with pauses of up to a second by default. Shorter ones cost
# processor time.
SOON = {"dramatiq_worker_timeout": "10"}  # milliseconds
# A process takes two messages for each of its threads, by default: of ten long tasks all might go to one process.
ENVIRONMENT = {"five": SOON, "batches": SOON | {"dramatiq_queue_prefetch": "5"}, "single": SOON, "noop": SOON}

# It acknowledges after the work, always: there is nothing safer to set.
WORKERS = {
    "five": worker(1, 5),
    "batches": worker(2, 5),
    "single": worker(2, 500, "dramatiq-gevent"),
    "noop": worker(2, 8),
    "default": worker(1, 2),
    "safe": worker(1, 2),
}


def send(task: str, arguments: Sequence[Any], *, safe: bool = False) -> list[Any]:
    return [TASKS[task].send(*as_tuple(argument)) for argument in arguments]


def answers(tickets: Sequence[Any], timeout: float) -> list[Any]:
    return [ticket.get_result(block=True, timeout=int(timeout * 1000)) for ticket in tickets]
