"""The keeper's own program: a small process that starts the lab's services, and ends them when the notebook is gone.

A kernel can die without a chance to clean up (SIGKILL, a restart). So the services are not its children but
the keeper's, and the keeper notices: its standard input closes, or its parent changes. Then it kills every
process group it started, pool children included, removes the lab's folder, which it has made in PLACE, and exits.

The kernel writes requests to the keeper's standard input, one JSON object a line, and reads one JSON
answer a line from a pipe of its own, into which nothing else is ever printed: `{"id": n, ...}` for
`{"id": n, "do": ..., ...}`, see `REQUESTS`.

It is run by path, alone (`python -I -S keeper_script.py PLACE PIPE`), and imports nothing but the standard library, so
that it is up in a few hundredths of a second.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

CHECK_PARENT_SECONDS = 0.5  # between two looks at who the parent is
GRACE_SECONDS = 1.5  # between SIGTERM and SIGKILL for a process that asked for it, out of three in all
LAST_WORK_SECONDS = 40  # for each command at the end; it takes a few tenths of one, if Redis answers

processes: dict[int, subprocess.Popen[bytes]] = {}
attempts: dict[int, list[int]] = {}  # by pid: the attempts to which the process belongs, see `abandon`
graceful: set[int] = set()
last_work: list[tuple[list[str], dict[str, str]]] = []  # commands to run when every process is gone
ended: set[int] = set()  # gone with all their children: their number may belong to somebody else by now


def start(argv: list[str], env: dict[str, str], cwd: str, log: str, grace: bool, part_of: list[int]) -> dict[str, Any]:
    """Start a process in a session of its own, so that an interrupt of the kernel does not reach it."""
    with open(log, "ab") as output:
        process = subprocess.Popen(
            argv,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    processes[process.pid] = process
    attempts[process.pid] = part_of
    if grace:
        graceful.add(process.pid)
    return {"pid": process.pid}


def poll(pid: int) -> dict[str, Any]:
    """The exit code, negative for a signal; None while it runs."""
    returncode = processes[pid].poll()
    if returncode is not None and not group_exists(pid):
        ended.add(pid)
    return {"returncode": returncode}


def send_signal(pid: int, number: int, group: bool) -> dict[str, Any]:
    """Send a signal to the process, or to it and all its children."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: no permission to signal a zombie
        os.killpg(pid, number) if group else processes[pid].send_signal(number)
    return {}


def abandon(attempt: int) -> dict[str, Any]:
    """Kill all that was started in this attempt, whether or not the kernel knows of it; return when it is gone."""
    for pid in [pid for pid, part_of in attempts.items() if attempt in part_of]:
        if pid not in ended:
            send_signal(pid, signal.SIGKILL, group=True)
            processes[pid].wait()
    return {}


def at_end(argv: list[str], env: dict[str, str]) -> dict[str, Any]:
    """Run this command when everything else has ended."""
    last_work.append((argv, env))
    return {}


def group_exists(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


REQUESTS: dict[str, Callable[..., dict[str, Any]]] = {
    "start": start,
    "poll": poll,
    "signal": send_signal,
    "abandon": abandon,
    "at_end": at_end,
}


def tell(**words: Any) -> None:
    """Write one line into the pipe, at once and whole."""
    os.write(int(sys.argv[2]), json.dumps(words).encode() + b"\n")


def answer(line: bytes) -> None:
    request = json.loads(line)
    number, do = request.pop("id"), request.pop("do")
    try:
        reply = REQUESTS[do](**request)
    except OSError as error:
        reply = {"error": f"{error.filename or do}: {error.strerror}", "errno": error.errno}
    tell(id=number, **reply)


def serve(parent: int) -> None:
    """Answer requests until the kernel is gone."""
    requests = sys.stdin.fileno()
    pending = b""
    while os.getppid() == parent:
        if not select.select([requests], [], [], CHECK_PARENT_SECONDS)[0]:
            continue
        received = os.read(requests, 65536)
        if not received:
            return
        *lines, pending = (pending + received).split(b"\n")
        for line in lines:
            answer(line)


def end_all() -> None:
    """SIGTERM and a moment's grace for those that asked for it, then SIGKILL for every group."""
    for pid in graceful:
        send_signal(pid, signal.SIGTERM, group=False)
    deadline = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline and any(processes[pid].poll() is None for pid in graceful):
        time.sleep(0.02)
    for pid in processes.keys() - ended:
        send_signal(pid, signal.SIGKILL, group=True)
    for process in processes.values():
        process.wait()
    for argv, env in last_work:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            nothing = subprocess.DEVNULL
            subprocess.run(argv, env=env, timeout=LAST_WORK_SECONDS, stdin=nothing, stdout=nothing, stderr=nothing)


def main() -> None:
    parent = os.getppid()
    try:
        folder = tempfile.mkdtemp(prefix="celery-lab-", dir=sys.argv[1])
    except OSError as error:
        return tell(id=0, error=error.strerror)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit())  # a handler, not SIG_IGN: children would inherit that
    try:
        tell(id=0, pid=os.getpid(), folder=os.fsencode(folder).hex())
        serve(parent)
    except BrokenPipeError:  # the kernel died while its answer was on the way
        pass
    finally:
        end_all()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
