"""The gap of notebook 09b, The outbox: a message is in no list of Redis for a moment.

A worker with `--include notebooks.gap` stops in the gap for ever.
"""

import os
import signal
import time
from collections.abc import Sequence
from typing import Any

import redis
from celery import Task
from celery.signals import worker_ready
from kombu.transport.redis import QoS

TIMEOUT = 30  # seconds for all messages


def stop(*_: Any) -> None:
    """Freeze this process, instead of recording the message that it has taken."""
    os.kill(os.getpid(), signal.SIGSTOP)


@worker_ready.connect
def set_the_trap(**_: Any) -> None:
    """In a worker: kombu calls `QoS.append` for the record in unacked."""
    QoS.append = stop  # type: ignore[method-assign]


def milliseconds_in_the_gap(url: str, task: Task, calls: Sequence[list]) -> list[float]:
    """From each BRPOP that found a message to the ZADD that records it as taken.

    MONITOR makes Redis tell when it got each command. A worker must be up, and the
    queue must be empty: then the calls become visible to it in one moment, and it takes
    one after the other. The last one is left out.
    """
    store = redis.Redis.from_url(url, socket_timeout=TIMEOUT, decode_responses=True)
    for args in calls:
        task.apply_async(args, queue="waiting", ignore_result=True)
    end, taken = time.monotonic() + TIMEOUT, None
    found: list[float] = []
    with store.monitor() as monitor:
        store.rename("waiting", "celery")
        for seen in monitor.listen():
            if time.monotonic() > end:
                raise TimeoutError(f"{len(found)} of {len(calls)} messages were taken")
            command = seen["command"].split()[0]
            if command == "BRPOP":
                taken = seen["time"]
            elif command == "ZADD" and taken:
                found.append(1000 * (seen["time"] - taken))
                taken = None
            if len(found) == len(calls) - 1:
                break
    return found
