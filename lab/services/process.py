"""A process of the lab: started by the keeper, with a log in the lab's folder; waited for (with the log's
end where that fails), stopped, killed."""

import os
import signal
from collections.abc import Callable
from itertools import chain, count
from pathlib import Path
from typing import TypeVar

from ..basics.environment import child_environment
from ..basics.errors import LabError
from ..basics.waiting import wait_until
from .keeper import Keeper
from .logs import ADVICE, NO_SPACE, tail_of

T = TypeVar("T")

_used: set[str] = set()  # names that this kernel has given to processes


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
            return f"{ADVICE[NO_SPACE]} {self.name} could not even write a log."
        return tail_of(self.name, log)

    def wait_for(self, what: str, ready: Callable[[], T | None], *, timeout: float) -> T:
        """Call `ready` until it returns something true, and return that.

        Raises `LabError` with the log's tail if the process ends first or `timeout` seconds pass.
        """
        said = f"{self.name}: {what} did not happen within {timeout:g} s."

        def ready_or_ended() -> T | None:
            if not (value := ready()) and self.returncode is not None:
                raise LabError(f"{self.name} ended (exit code {self.returncode}) before {what}. {self.tail()}")
            return value

        return wait_until(ready_or_ended, timeout, lambda: f"{said} {self.tail()}")

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
        wait_until(lambda: self.returncode is not None, timeout, lambda: f"{said} {self.tail()}")


def unused_name(label: str) -> str:
    """The label, or with a number behind it where this kernel has used it already."""
    names = chain([label], (f"{label}-{number}" for number in count(2)))
    free = next(name for name in names if name not in _used)
    _used.add(free)
    return free
