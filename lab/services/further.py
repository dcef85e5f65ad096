"""`lab.worker`, `lab.redis_server`, `lab.proxy`: services that a cell starts on top of those of `lab.start()`."""

from collections.abc import Mapping
from typing import Any

from ..basics.errors import LabError
from .open_lab import current
from .process import unused_name
from .proxy import Proxy
from .redis_server import RedisServer
from .sentinel import Sentinel
from .worker import COURSE_PROCESSES, Worker
from .worker_options import queue_names, settings_arguments, worker_options


def worker(
    concurrency: int = COURSE_PROCESSES,
    pool: str = "prefork",
    queues: str | list[str] | None = None,
    *,
    include: str | None = None,
    settings: Mapping[str, Any] | None = None,
    wait: bool = True,
    **more: int | float | str | bool,
) -> Worker:
    """Start a further worker and print the command that would do the same in a terminal.

    concurrency: tasks that it runs at once, 1 to 100, with gevent to 1000 (default 5)
    pool:        what runs them: "prefork", "threads", "gevent" or "solo" (default "prefork")
    queues:      the queue that it serves, or a list of queues (default None: the queue celery)
    include:     a module with further tasks (default None)
    settings:    settings of Celery's for this worker alone, by their names in celeryconfig.py (default None)
    wait:        whether to return only when it is ready; `.ready()` waits later (default True)
    more:        other options of `celery worker`, such as `prefetch_multiplier=4` for `--prefetch-multiplier 4`

    As a context manager the worker stops at the end of the block. Raises `LabError` for an option that Celery does not
    know, and for a worker that does not start.
    """
    lab = current()
    if lab.shared and not queues:
        raise LabError(
            "The queue celery of this database has a worker, and others may write into it, too. "
            "Name a queue, as in lab.worker(queues='mine')."
        )
    options = worker_options(concurrency, pool, queues, include, **more)
    label = (queue_names(queues) or ["worker"])[0]
    arguments = settings_arguments(settings or {})
    with lab.keeper.attempt():
        started = Worker(lab.keeper, options, label=label, grace=not lab.is_private, settings=arguments)
        print(started)
        return started.ready() if wait else started


def redis_server(*, appendonly: bool = False, snapshots: bool = False) -> RedisServer:
    """Start a further Redis, which may be stopped and killed, and print the command that would do the same.

    appendonly: whether it writes every change to a file, which it reads when it starts again (default False)
    snapshots:  whether it writes all that it holds to a file once an hour and when it is told to stop (default False)
    """
    name = unused_name("redis-server")
    started = RedisServer(current().keeper, appendonly=appendonly, snapshots=snapshots, name=name)
    print(started.command)
    return started


def sentinel(primary: RedisServer, *, group: str = "photos", down_after: float = 1) -> Sentinel:
    """Start a Sentinel that watches a Redis and its replica, and print the command that would do the same.

    primary:    the Redis that it watches, from `lab.redis_server()`; its replica has been made with REPLICAOF
    group:      the name under which those who ask know the two (default "photos")
    down_after: seconds without an answer, after which the primary is down (default 1)

    Returns when it knows a replica that has all of the primary's data.
    """
    started = Sentinel(current().keeper, primary, group=group, down_after=down_after, name=unused_name("sentinel"))
    print(started.command)
    started.wait_for_replica()
    return started


def proxy(url: str | None = None) -> Proxy:
    """Start a proxy before a Redis that the lab has started, whose connections can be cut without a word.

    url: the address of that Redis (default None: the notebook's own)
    """
    lab = current()
    if url is None and lab.redis is None:
        raise LabError("This Redis is not the notebook's own. With lab.start(private=True) it is.")
    return Proxy(lab.keeper, url or lab.redis_url, name=unused_name("proxy"))
