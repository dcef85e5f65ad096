"""`lab.commands`: the commands that Redis gets inside a block, and the process that sent each.

Redis itself tells the commands (`MONITOR`), each with the address of its client. Whose that address is, the operating
system knows.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psutil
import redis

from ..basics.errors import LabError
from ..basics.waiting import wait_until

LAST_SECONDS = 20  # until Redis has told of the last command


@dataclass(frozen=True)
class Command:
    """A command that Redis got: its name, its first argument (mostly a key), all of it as text, and who sent it."""

    name: str
    key: str
    text: str
    pid: int | None  # None: a process on another machine, or one that has closed its connection


@contextmanager
def commands() -> Iterator[list[Command]]:
    """Record the commands that the notebook's Redis gets inside a block: `with lab.commands() as seen:`.

    The list is filled when the block ends, in the order in which Redis got them. Whose a connection is, is asked then,
    too: one that is closed by then has no process. Raises `LabError` if Redis tells nothing.
    """
    address = os.environ.get("REDIS_URL", "")
    begin, end = uuid4().hex, uuid4().hex
    found: list[dict[str, Any]] = []
    seen: list[Command] = []
    try:
        with redis.Redis.from_url(address, socket_connect_timeout=5) as client, client.monitor() as monitor:
            number = client.get_connection_kwargs().get("db") or 0  # of the database: others have theirs

            def listen() -> None:
                with suppress(redis.RedisError, OSError, ValueError):  # the connection is closed: nobody listens
                    for told in monitor.listen():
                        found.append(told)
                        if end in told["command"]:
                            return

            listener = threading.Thread(target=listen, name="commands", daemon=True)
            listener.start()
            client.echo(begin)  # opens the connection that says the end, too: before the block, not in it
            yield seen
            client.echo(end)
            late = "Redis did not tell of the last command. Run the cell again."
            wait_until(lambda: not listener.is_alive(), LAST_SECONDS, lambda: late)
            if not found or end not in found[-1]["command"]:  # the connection was closed before
                raise LabError(late)
    except redis.RedisError as error:
        raise LabError(f"Redis does not tell its commands ({type(error).__name__}): run lab.start() first.") from None
    pids = _pids_by_port(urlsplit(address).port or 6379)
    first = 1 + next(index for index, told in enumerate(found) if begin in told["command"])
    seen += [
        Command(*_parts(told["command"]), pid=pids.get(int(told["client_port"] or 0)))
        for told in found[first:-1]  # the last one is our own, too
        if told["db"] == number
    ]


def _parts(text: str) -> tuple[str, str, str]:
    name, _, arguments = text.partition(" ")
    return name, arguments.partition(" ")[0], text


def _pids_by_port(redis_port: int) -> dict[int, int]:
    """The process behind each local port from which a connection leads to Redis.

    A process that was forked has the connections of its parent open, too: the older of the two opened them.
    """
    processes = [process for process in psutil.process_iter() if process.pid]
    pids: dict[int, int] = {}
    for process in sorted(processes, key=_created):
        with suppress(psutil.Error):  # it has ended, or is somebody else's
            for connection in process.net_connections("tcp"):
                if connection.raddr and connection.raddr.port == redis_port:
                    pids.setdefault(connection.laddr.port, process.pid)
    return pids


def _created(process: psutil.Process) -> float:
    try:
        return process.create_time()
    except psutil.Error:
        return float("inf")
