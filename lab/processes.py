"""Processes of the lab: started by its keeper, so that none outlives the notebook (see `keeper.py`)."""

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from .errors import LabError

T = TypeVar("T")
KEEPER = Path(__file__).with_name("keeper.py")
TAIL = 15  # lines of a log that an error message shows


class Keeper:
    """This kernel's side of its keeper: the process itself, the lab's folder, and requests to it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="celery-lab-"))
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(KEEPER), str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # an interrupt of the kernel goes to its whole process group
        )
        self._lock = threading.Lock()
        self._number = 0
        self.pid: int = self._answer(0)["pid"]
        atexit.register(self.close)

    def request(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Ask the keeper to `start`, `poll` or `signal` a process and return its answer."""
        with self._lock:
            self._number += 1
            line = json.dumps({"id": self._number, "do": do, **arguments}).encode() + b"\n"
            with contextlib.suppress(BrokenPipeError):
                os.write(self._process.stdin.fileno(), line)  # at once and whole, or an interrupt might split it
            answer = self._answer(self._number)
        if "error" in answer:
            raise LabError(f"{answer['error']}.")
        return answer

    def _answer(self, number: int) -> dict[str, Any]:
        for line in self._process.stdout:
            answer = json.loads(line)
            if answer["id"] == number:  # an older one belongs to a request that was interrupted
                return answer
        raise LabError("The lab's keeper process has ended, and all services with it. Restart the kernel.")

    def close(self) -> None:
        """End everything and wait until it is gone, as the end of the kernel would."""
        atexit.unregister(self.close)
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()


class Process:
    """One process that the keeper started, with its log in the lab's folder."""

    def __init__(
        self,
        keeper: Keeper,
        name: str,
        argv: list[str],
        *,
        env: dict[str, str],
        cwd: Path,
        grace: bool = False,
    ) -> None:
        self.name = name
        self._keeper = keeper
        self._log = keeper.folder / f"{name}.log"
        self.pid: int = keeper.request("start", argv=argv, env=env, cwd=str(cwd), log=str(self._log), grace=grace)[
            "pid"
        ]

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while the process runs."""
        return self._keeper.request("poll", pid=self.pid)["returncode"]

    def log(self) -> str:
        """Everything the process has written so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def tail(self) -> str:
        """The log's last lines, for an error message."""
        lines = self.log().rstrip().splitlines()[-TAIL:]
        return f"The log of {self.name} ends:\n" + "\n".join(lines) if lines else f"{self.name} logged nothing."

    def wait_for(self, what: str, ready: Callable[[], T | None], *, timeout: float) -> T:
        """Call `ready` until it returns something true, and return that.

        Raises `LabError` with the log's tail if the process ends first or `timeout` seconds pass.
        """
        deadline = time.monotonic() + timeout
        while True:
            if value := ready():
                return value
            if self.returncode is not None:
                raise LabError(f"{self.name} ended (exit code {self.returncode}) before {what}. {self.tail()}")
            if time.monotonic() > deadline:
                raise LabError(f"{self.name}: {what} did not happen within {timeout:g} s. {self.tail()}")
            time.sleep(0.02)

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
        deadline = time.monotonic() + timeout
        while self.returncode is None:
            if time.monotonic() > deadline:
                raise LabError(f"{self.name} still runs {timeout:g} s after it was told to stop. {self.tail()}")
            time.sleep(0.02)
