"""Processes of the lab: started by its keeper, so that none outlives the notebook (see `keeper.py`)."""

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
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from .deadline import deadline
from .environment import child_environment
from .errors import LabError

T = TypeVar("T")
KEEPER = Path(__file__).with_name("keeper.py")
TAIL = 15  # lines of a log that an error message shows
LAST = 20  # seconds that the keeper may take to end all and tidy up; it takes two at the most on an idle machine
ANSWER = 30  # seconds that the keeper may take to answer; it takes a few thousandths of one
# What a log says of a machine that has run out of something, and what to do.
HELP = {
    "No space left on device": "There is no room left in the temporary folder or in /dev/shm: remove files there.",
    "Too many open files": "A process may open too few files here: allow more with ulimit -n 4096.",
    "command not allowed when used memory": "That Redis is full, and takes no more writes: make room there.",
    "max number of clients": "That Redis has as many clients as it takes: close some.",
    "Cannot allocate memory": "There is too little memory: close other programs.",
}
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
            [sys.executable, "-I", "-S", str(KEEPER), place, str(pipe)],
            env=child_environment(),
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            pass_fds=[pipe],
            start_new_session=True,  # an interrupt of the kernel goes to its whole process group
        )
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
                os.write(self._process.stdin.fileno(), line)  # at once and whole, or an interrupt might split it
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
            yield
        except BaseException:
            with interrupts_later():
                self.request("abandon", attempt=number)
            raise
        finally:
            self._local.part_of = outside

    def _answer(self, number: int) -> dict[str, Any]:
        """The answer with this number; an older one belongs to a request that was interrupted."""
        readable = select.poll()
        readable.register(self._answers, select.POLLIN)
        end = time.monotonic() + ANSWER
        while True:
            line, newline, rest = self._received.partition(b"\n")
            if newline:
                self._received = rest
                if (answer := json.loads(line))["id"] == number:
                    return answer
            elif not readable.poll(max(end - time.monotonic(), 0) * 1000):
                raise LabError(f"The lab's keeper process gave no answer for {ANSWER} s. Restart the kernel.")
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
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # it goes on by itself, and is not waited for
            if self._process.wait(timeout=LAST):
                self._kill_all()  # it was killed
        os.close(self._answers)
        self._log.close()


@contextlib.contextmanager
def interrupts_later() -> Iterator[None]:
    """Let the block come to its end, and an interrupt that came meanwhile take effect then. In the main thread, where
    interrupts arrive; the block must be one that ends soon."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    noted = []
    before = signal.signal(signal.SIGINT, lambda *_: noted.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)
    if noted and callable(before):
        before(signal.SIGINT, None)


def temporary_folder() -> str:
    """Where the keeper may make the folder for all files of a lab. Raises `LabError` if there is no place for one."""
    try:
        place = tempfile.gettempdir()
    except OSError as error:
        raise LabError(f"There is no temporary folder ({error.strerror}). Make room, or set TMPDIR to one.") from None
    if os.pathsep in place:  # workers find a notebook's modules in the lab's folder, by a search path
        raise LabError(f"The temporary folder {place} has {os.pathsep} in its name. Set TMPDIR to another one.")
    return place


def tail_of(name: str, log: str) -> str:
    """The log's last lines, for an error message, and what helps where they tell of something known."""
    lines = log.rstrip().splitlines()[-TAIL:]
    if not lines:
        return f"{name} logged nothing."
    advice = [f"{helps} " for words, helps in HELP.items() if words in log]
    return "".join(advice) + f"The log of {name} ends:\n" + "\n".join(lines)


class Process:
    """One process that the keeper started, with its log in the lab's folder."""

    def __init__(
        self,
        keeper: Keeper,
        name: str,
        argv: list[str],
        *,
        cwd: Path,
        env: dict[str, str] | None = None,
        grace: bool = False,
    ) -> None:
        """`env`: its environment, if it is more than that of every service."""
        self.name = name
        self._keeper = keeper
        self._log = keeper.folder / f"{name}.log"
        env = child_environment() if env is None else env
        self.pid = keeper.start(argv=argv, env=env, cwd=str(cwd), log=str(self._log), grace=grace)

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while the process runs."""
        return self._keeper.returncode(self.pid)

    def log(self) -> str:
        """Everything the process has written so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def tail(self) -> str:
        """The log's last lines, for an error message."""
        log = self.log()
        if not log and not os.statvfs(self._keeper.folder).f_bavail:
            return f"{HELP['No space left on device']} {self.name} could not even write a log."
        return tail_of(self.name, log)

    def wait_for(self, what: str, ready: Callable[[], T | None], *, timeout: float) -> T:
        """Call `ready` until it returns something true, and return that.

        Raises `LabError` with the log's tail if the process ends first or `timeout` seconds pass.
        """
        said = f"{self.name}: {what} did not happen within {timeout:g} s."
        with deadline(timeout, lambda: f"{said} {self.tail()}") as check:
            while not (value := ready()):
                if self.returncode is not None:
                    raise LabError(f"{self.name} ended (exit code {self.returncode}) before {what}. {self.tail()}")
                check()
                time.sleep(0.02)
        return value

    def signal(self, number: int, *, group: bool = False) -> None:
        """Send a signal to the process, or to its whole group: itself and its children."""
        self._keeper.request("signal", pid=self.pid, number=int(number), group=group)

    def stop(self, *, timeout: float = 30) -> None:
        """SIGTERM, then wait for the end. For a worker this is the warm shutdown: it finishes its tasks first."""
        self.signal(signal.SIGTERM)
        self.wait_end(timeout=timeout)

    def kill(self) -> None:
        """SIGKILL for the process and its children: gone at once, with nothing tidied up."""
        self.signal(signal.SIGKILL, group=True)
        self.wait_end(timeout=10)

    def wait_end(self, *, timeout: float = 30) -> None:
        """Wait until it has ended. Raises `LabError` with the log's tail after `timeout` seconds."""
        said = f"{self.name} still runs {timeout:g} s after it was told to stop."
        with deadline(timeout, lambda: f"{said} {self.tail()}") as check:
            while self.returncode is None:
                check()
                time.sleep(0.02)
