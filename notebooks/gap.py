"""The gap of notebook 09b: for a moment, a message is in no list of Redis."""

import time
from collections.abc import Sequence

import redis
from celery import Task

TIMEOUT = 30  # seconds for all messages


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
