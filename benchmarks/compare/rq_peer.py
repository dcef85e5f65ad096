"""RQ: a worker does one job at a time, so as many workers as jobs at once.

`SimpleWorker` does a job in its own process. RQ's default worker forks for each job, which takes more time, and is
measured where a worker is killed.
"""

from collections.abc import Sequence
from typing import Any

import redis
from rq import Queue, Retry
from rq.job import Job
from rq.registry import FailedJobRegistry, StartedJobRegistry
from rq.utils import current_timestamp

from . import work
from .connection import PATIENT_URL, as_tuple, script

NAME = "RQ"
DOCS = (
    "https://python-rq.org/docs/workers/",  # worker pool, SimpleWorker, "one job at a time"
    "https://python-rq.org/docs/",  # enqueue_many: bulk, in one pipeline
    "https://python-rq.org/docs/exceptions/",  # retrying, AbandonedJobError
)
BEST = "batches"
KILLED = "StartedJobRegistry.cleanup() forced (by default a worker does it every 600 s, 90 s after the last heartbeat)"

SIMPLE = ("--worker-class", "rq.worker.SimpleWorker")
FOREVER_SECONDS = 10**6  # ahead, so that a job which began now counts as abandoned

queue = Queue(connection=redis.Redis.from_url(PATIENT_URL))


def pool(count: int, *options: object) -> list[list[str]]:
    return [script("rq", "worker-pool", "--num-workers", count, "--url", PATIENT_URL, "--quiet", *options)]


WORKERS = {
    "five": pool(5, *SIMPLE),
    "batches": pool(10, *SIMPLE),
    "single": pool(25, *SIMPLE),
    "noop": pool(2, *SIMPLE),
    "default": pool(2),
    "safe": pool(2),
}


def send(task: str, arguments: Sequence[Any], *, safe: bool = False) -> list[Any]:
    function, retry = getattr(work, task), Retry(max=3) if safe else None
    return queue.enqueue_many([Queue.prepare_data(function, as_tuple(each), retry=retry) for each in arguments])


def answers(tickets: Sequence[Job], timeout: float) -> list[Any]:
    results = [ticket.latest_result(timeout=int(timeout)) for ticket in tickets]
    for result in results:
        if result is None or result.type != result.Type.SUCCESSFUL:
            raise RuntimeError(f"no answer: {result and result.exc_string}")
    return [result.return_value for result in results]


def recover() -> bool:
    """What a worker's maintenance does, as if the jobs' last sign of life were long ago. True: it has put some aside,
    as failed, for a person to send again."""
    StartedJobRegistry(queue=queue).cleanup(timestamp=current_timestamp() + FOREVER_SECONDS)
    failed = FailedJobRegistry(queue=queue)
    aside = failed.get_job_ids()
    for each in aside:
        failed.remove(each)  # seen; the next one shall count by itself
    return bool(aside)
