"""`lab.empty_folder` and `lab.terminal`: a project of the reader's own, and commands that run beside the notebook."""

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

from ..basics.errors import LabError
from ..basics.places import ROOT
from .keeper import Keeper
from .open_lab import current
from .process import Process, unused_name

READY_SECONDS = 60  # until a command must say that it is ready; on an idle machine a worker takes two
STOP_SECONDS = 60  # for a command to end after Ctrl+C; a worker finishes its tasks first


class Terminal(Process):
    """A command that runs in a terminal of its own, which stays open. `log()` is all that it has printed."""

    def __init__(self, keeper: Keeper, command: str, ready: str) -> None:
        """`ready`: the words with which it says that it is."""
        self.command, self._ready, self._cwd = command, ready, Path.cwd()
        self._start(keeper)

    def _start(self, keeper: Keeper) -> None:
        argv = shlex.split(self.command)
        if not argv or not (program := shutil.which(argv[0])):
            raise LabError(f"There is no command {argv[0] if argv else ''!r} here: check its spelling, or install it.")
        argv[0], name = program, unused_name(argv[0])
        with keeper.attempt():
            super().__init__(keeper, name, argv, cwd=self._cwd, env=dict(os.environ), grace=False)
            self.wait_until(self._ready)

    def restart(self) -> None:
        """Ctrl+C, and the same command again in the same folder. What it printed before is gone."""
        self.stop()
        self._start(self._keeper)

    def wait_until(self, words: str, *, timeout: float = READY_SECONDS) -> None:
        """Wait until it has printed these words. Raises `LabError` with the end of what it printed."""
        self.wait_for(f"it printed {words!r}", lambda: words in self.log(), timeout=timeout)

    def show(self, words: str, lines: int = 1) -> None:
        """Print so many lines of its output, from these words on; waits until they are there."""
        self.wait_until(words)
        _, start, after = self.log().partition(words)
        print(*(start + after).splitlines()[:lines], sep="\n")

    @property
    def url(self) -> str:
        """The first address that it has printed, without its path: where a web server listens."""
        if not (found := re.search(r"https?://[\w.]+:\d+", self.log())):
            raise LabError(f"{self.name} has printed no address. {self.tail()}")
        return found[0]

    def stop(self, *, timeout: float = STOP_SECONDS) -> None:
        """What Ctrl+C does in a terminal; waits for the end. A worker finishes its tasks first."""
        super().stop(timeout=timeout)

    def __repr__(self) -> str:
        return f"<{self.name}: {self.command}>"


def terminal(command: str, *, until: str = "ready.") -> Terminal:
    """Run a command in a terminal of its own, in the notebook's folder, and go on when it has printed `until`.

    command: as you would type it, without a shell's pipes and variables
    until:   the words that say that it is ready (default "ready.", those of a Celery worker)

    It ends with the notebook. Raises `LabError` for an unknown command, and with the end of the output if the command
    ends, or after `READY_SECONDS`.
    """
    return Terminal(current().keeper, command, until)


def empty_folder(name: str) -> None:
    """Go to a new, empty folder. It is gone when the notebook is closed.

    name: of the folder

    Commands of cells such as `%%sh` then run there, with the Python of the notebook and its packages. The variable
    `COURSE` names the folder of the course.
    """
    folder = current().keeper.folder / "folders" / unused_name(name)
    folder.mkdir(parents=True)
    os.chdir(folder)
    programs = str(Path(sys.executable).parent)
    if os.environ["PATH"].split(os.pathsep)[0] != programs:
        os.environ["PATH"] = programs + os.pathsep + os.environ["PATH"]
    os.environ["COURSE"] = str(ROOT)
    # A module that is written twice within a second must not be run from the bytecode of the first one.
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
