"""The kernel's side of the keeper, the small process that starts all services and ends them (see `keeper_script.py`).

Nothing that the keeper started outlives the notebook.
"""

import atexit
import contextlib
import errno
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import IO, Any, cast

from ..basics.environment import child_environment
from ..basics.errors import LabError
from ..basics.interrupts import undone_on_failure
from .logs import tail_of

SCRIPT = Path(__file__).with_name("keeper_script.py")
LAST_SECONDS = 20  # for the keeper to end all and tidy up; it takes two at the most on an idle machine
ANSWER_SECONDS = 30  # for the keeper to answer; it takes a few thousandths of one
NOEXEC = "; is its folder mounted noexec, or the file not executable?"
ENDED = "The lab's keeper process has ended, and all services with it. Restart the kernel."


class CannotStart(LabError):
    """The system does not start a program; the message is the system's, and what may be the reason."""


class Keeper:
    """This kernel's side of its keeper: the process itself, the lab's folder, and requests to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers, self._attempts = count(1), count(1)
        self._local = threading.local()  # `part_of`: the attempts that are under way in each thread
        self._received = b""
        self._owner = os.getpid()  # a fork of the kernel is not the kernel
        self._groups: set[int] = set()  # of the processes that it has started
        place = temporary_folder()
        self._answers, pipe = os.pipe()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the keeper lives)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(SCRIPT), place, str(pipe)],
            env=child_environment(),
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            pass_fds=[pipe],
            start_new_session=True,  # an interrupt of the kernel goes to its whole process group
        )
        self._requests = cast(IO[bytes], self._process.stdin)
        os.close(pipe)
        try:
            answer = self._answer(0)
            if "error" in answer:
                raise LabError(f"No folder can be made in {place} ({answer['error']}). Make room, or set TMPDIR.")
            self.pid, self.folder = answer["pid"], Path(os.fsdecode(bytes.fromhex(answer["folder"])))
        except BaseException:
            self.close()
            raise
        atexit.register(self.close)

    def request(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Ask the keeper for one of its `REQUESTS` and return its answer. Raises `LabError` if it gives none."""
        with self._lock:
            number = next(self._numbers)
            line = json.dumps({"id": number, "do": do, **arguments}).encode() + b"\n"
            with contextlib.suppress(BrokenPipeError):
                os.write(self._requests.fileno(), line)  # at once and whole, or an interrupt might split it
            answer = self._answer(number)
        return answer

    def start(self, argv: list[str], **arguments: Any) -> int:
        """Start a process and return its number; what leaves an `attempt` early ends it. Raises `CannotStart`."""
        part_of = getattr(self._local, "part_of", [])
        answer = self.request("start", argv=argv, part_of=part_of, **arguments)
        if "error" in answer:
            raise CannotStart(answer["error"] + (NOEXEC if answer["errno"] == errno.EACCES else ""))
        self._groups.add(answer["pid"])
        return answer["pid"]

    def returncode(self, pid: int) -> int | None:
        """The exit code of a process that it started, negative for a signal; None while that runs."""
        code = self.request("poll", pid=pid)["returncode"]
        if code is not None:
            self._groups.discard(pid)  # its number may belong to somebody else from now on
        return code

    @contextlib.contextmanager
    def attempt(self) -> Iterator[None]:
        """What is started in this block stays only if the block comes to its end: an error or an interrupt ends it."""
        number, outside = next(self._attempts), getattr(self._local, "part_of", [])
        self._local.part_of = [*outside, number]
        try:
            with undone_on_failure(lambda: self.request("abandon", attempt=number)):
                yield
        finally:
            self._local.part_of = outside

    def _answer(self, number: int) -> dict[str, Any]:
        """The answer with this number; an older one belongs to a request that was interrupted."""
        readable = select.poll()
        readable.register(self._answers, select.POLLIN)
        end = time.monotonic() + ANSWER_SECONDS
        while True:
            line, newline, rest = self._received.partition(b"\n")
            if newline:
                self._received = rest
                if (answer := json.loads(line))["id"] == number:
                    return answer
            elif not readable.poll(max(end - time.monotonic(), 0) * 1000):
                raise LabError(f"The lab's keeper process gave no answer for {ANSWER_SECONDS} s. Restart the kernel.")
            elif received := os.read(self._answers, 65_536):
                self._received += received
            else:
                self._kill_all()
                raise LabError(f"{ENDED} {self._last_words()}")

    def _kill_all(self) -> None:
        """What the keeper does at its end, if that came too early for it."""
        for pid in self._groups:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)

    def _last_words(self) -> str:
        self._log.seek(0)
        return tail_of("the keeper", self._log.read().decode(errors="replace"))

    def close(self) -> None:
        """End everything and wait until it is gone, as the end of the kernel would."""
        if os.getpid() != self._owner:
            return
        atexit.unregister(self.close)
        self._requests.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # it goes on by itself, and is not waited for
            if self._process.wait(timeout=LAST_SECONDS):
                self._kill_all()  # it was killed
        os.close(self._answers)
        self._log.close()


def temporary_folder() -> str:
    """Where the keeper may make the folder for all files of a lab. Raises `LabError` if there is no place for one."""
    try:
        place = tempfile.gettempdir()
    except OSError as error:
        raise LabError(f"There is no temporary folder ({error.strerror}). Make room, or set TMPDIR to one.") from None
    if os.pathsep in place:  # workers find a notebook's modules in the lab's folder, by a search path
        raise LabError(f"The temporary folder {place} has {os.pathsep} in its name. Set TMPDIR to another one.")
    return place
