"""Taskiq: asynchronous tasks, hundreds in the event loop of each worker process."""

import asyncio
from collections.abc import Sequence
from typing import Any

import aiohttp
from taskiq import TaskiqEvents, TaskiqState
from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

from . import work
from .connection import PACKAGE, REDIS_URL, USE, as_tuple, script

NAME = "Taskiq"
DOCS = (
    "https://taskiq-python.github.io/guide/cli.html",  # workers, max-async-tasks, ack-type
    "https://taskiq-python.github.io/guide/state-and-deps.html",  # a session for each worker process
    "https://github.com/taskiq-python/taskiq-redis",  # the broker with acknowledgements, and its idle_timeout
)
BEST = "batches"
KILLED = "idle_timeout 5 s (by default 600), looked at when the next message comes, as by default"

CONNECTIONS = {"max_connection_pool_size": 4000, "socket_timeout": 120}  # see connection.PATIENT_URL
POLL_SECONDS = 0.005  # between two looks for a result; by default 0.2

broker = RedisStreamBroker(
    REDIS_URL,
    consumer_id="0",  # a stream is read from its start: by default what was sent before the first worker is not seen
    xread_count=1 if USE == "batches" else 100,  # of few long tasks one at a time, or one process would take them all
    **({"idle_timeout": 5_000} if USE in ("default", "safe") else {}),
    **CONNECTIONS,
).with_result_backend(RedisAsyncResultBackend(REDIS_URL, result_ex_time=3600, **CONNECTIONS))


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def open_session(state: TaskiqState) -> None:
    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=work.READ)
    state.session = aiohttp.ClientSession(connector=connector, timeout=timeout, raise_for_status=True)


@broker.on_event(TaskiqEvents.WORKER_SHUTDOWN)
async def close_session(state: TaskiqState) -> None:
    await state.session.close()


async def echo(number: int) -> int:
    return work.echo(number)


async def fetch(url: str) -> Any:
    return await work.get(broker.state.session, url)


async def fetch_many(urls: list[str]) -> list[Any]:
    return await asyncio.gather(*(work.get(broker.state.session, url) for url in urls))


async def hold(token: str, seconds: float) -> None:
    work.note(token, "begun")
    await asyncio.sleep(seconds)
    work.note(token, "done")


TASKS = {each.__name__: broker.register_task(each, each.__name__) for each in (echo, fetch, fetch_many, hold)}


def worker(processes: int, tasks: int) -> list[list[str]]:
    options = ("--workers", processes, "--max-async-tasks", tasks, "--log-level", "WARNING")
    return [script("taskiq", "worker", f"{PACKAGE}.taskiq_peer:broker", *options)]


# It acknowledges when the result is stored, by default: there is nothing safer to set.
WORKERS = {
    "five": worker(1, 5),
    "batches": worker(2, 5),
    "single": worker(2, 500),
    "noop": worker(2, 100),
    "default": worker(1, 2),
    "safe": worker(1, 2),
}

_runner = asyncio.Runner()
_started = False


def send(task: str, arguments: Sequence[Any], *, safe: bool = False) -> list[Any]:
    return _runner.run(_send(task, arguments))


async def _send(task: str, arguments: Sequence[Any]) -> list[Any]:
    global _started
    if not _started:
        await broker.startup()
        _started = True
    return await asyncio.gather(*(TASKS[task].kiq(*as_tuple(argument)) for argument in arguments))


def answers(tickets: Sequence[Any], timeout: float) -> list[Any]:
    return _runner.run(_answers(tickets, timeout))


async def _answers(tickets: Sequence[Any], timeout: float) -> list[Any]:
    # One after the other: a thousand that poll at once would take the processor from the workers.
    results = [await ticket.wait_result(check_interval=POLL_SECONDS, timeout=timeout) for ticket in tickets]
    for result in results:
        result.raise_for_error()
    return [result.return_value for result in results]
