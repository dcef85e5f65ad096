"""Celery: threads for few slow calls, as Dramatiq and Huey have them, and an event loop inside each task for many."""

from collections.abc import Sequence
from typing import Any

from celery import Celery
from celery.result import ResultSet

from . import work
from .connection import PACKAGE, REDIS_URL, USE, as_tuple, script

NAME = "Celery"
DOCS = (
    "https://docs.celeryq.dev/en/stable/userguide/optimizing.html",
    "https://docs.celeryq.dev/en/stable/getting-started/backends-and-brokers/redis.html#visibility-timeout",
    "https://docs.celeryq.dev/en/stable/userguide/concurrency/gevent.html",
)
BEST = "batches"
KILLED = "visibility_timeout 5 s (by default 3600), looked at every second (by default about 100)"

app = Celery("compare", broker=REDIS_URL, backend=REDIS_URL)
app.conf.update(
    task_serializer="json",
    result_expires=3600,
    broker_connection_retry_on_startup=True,
    worker_prefetch_multiplier=1,  # "optimizing": 1 for tasks that take long
)
if USE == "noop":
    app.conf.worker_prefetch_multiplier = 64  # the same page: "64 or 128" where tasks are many and short
if USE in ("default", "safe"):
    app.conf.broker_transport_options = {
        "visibility_timeout": 5, "unacked_restore_interval": 1, "unacked_restore_throttle": 1,
    }  # fmt: skip
if USE == "safe":
    app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True)

TASKS = {each.__name__: app.task(each) for each in (work.echo, work.fetch, work.fetch_many, work.hold)}


def worker(name: str, *options: object) -> list[str]:
    # Workers that have nothing to tell each other need no greeting (a second), no gossip and no heartbeat.
    quiet = ("--without-mingle", "--without-gossip", "--without-heartbeat", "--hostname", f"{name}@compare")
    return script("celery", "-A", f"{PACKAGE}.celery_peer", "worker", *options, *quiet)


WORKERS = {
    "five": [worker("five", "--pool", "threads", "--concurrency", 5)],
    "batches": [worker("batches", "--concurrency", 10)],
    "single": [worker(f"single{n}", "--pool", "gevent", "--concurrency", 500) for n in (1, 2)],
    "noop": [worker(f"noop{n}", "--pool", "solo") for n in (1, 2)],
    "default": [worker("default", "--concurrency", 2)],
    "safe": [worker("safe", "--concurrency", 2)],
}


def send(task: str, arguments: Sequence[Any], *, safe: bool = False) -> list[Any]:
    # What Celery pays most for with few calls: a profile of `delay` has building the message, a new client of Redis for
    # each (kombu, redis.Channel.conn_or_acquire), LPUSH and the subscription to the result, about 0.6 ms in all.
    return [TASKS[task].delay(*as_tuple(argument)) for argument in arguments]


def answers(tickets: Sequence[Any], timeout: float) -> list[Any]:
    # In one go: one look for all, and then as they are told. In between it sleeps for `interval`, half a second by
    # default, which would be most of the time of a thousand no-ops (`noops.py` measures that).
    return ResultSet(tickets).get(timeout=timeout, interval=0.01)
