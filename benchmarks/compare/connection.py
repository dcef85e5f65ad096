"""What the peers' modules share: where Redis is, and how their workers are started.

Imported when the lab is open, and in the workers that it starts: it needs REDIS_URL.
"""

import os
import sys
from pathlib import Path
from typing import Any

PACKAGE = __package__

#: Host, port and database alone. redis-py 8 gives up on a read after 5 s and keeps at most 100 connections in a pool,
#: by default: a queue that waits longer for a message, or a worker with hundreds of threads, fails with "Timeout
#: reading from socket" or "Too many connections". `PATIENT_URL` says both in the URL, which all peers understand.
REDIS_URL = os.environ["REDIS_URL"]  # without it there would be a Redis that is not ours
PATIENT_URL = f"{REDIS_URL}?socket_timeout=120&socket_connect_timeout=30&max_connections=4000"

#: What the worker of this process is for: a key of `peers.Peer.WORKERS`. Empty in the process that sends.
USE = os.environ.get("COMPARE_USE", "")


def script(name: str, *arguments: object) -> list[str]:
    """The command line of a script that a peer's package installed."""
    return [str(Path(sys.executable).with_name(name)), *map(str, arguments)]


def as_tuple(argument: Any) -> tuple[Any, ...]:
    return argument if isinstance(argument, tuple) else (argument,)
