"""Celery workers: real `celery -A tasks worker` processes, started for the notebook that asks."""

import json
import os
import re
import shlex
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import redis
from kombu.exceptions import OperationalError

from fake_fb.files import file_limit

from .deadline import deadline
from .environment import child_environment
from .errors import LabError
from .processes import Keeper, Process, interrupts_later

ROOT = Path(__file__).resolve().parent.parent
LAB_NODE = "@lab-"  # in the node name of every worker that a lab started
POOLS = ("prefork", "threads", "gevent", "solo")
MOST = 100  # processes or threads of one worker: a slip of the keyboard should not bring a laptop down
MOST_GREEN = 1000  # the same for gevent, whose greenlets are small
# Files that a worker has open for each task that it may run at once: the pipes to a process, or the connections to
# Redis and to the server that it asks. And those that it has beside. (Counted with psutil, on Linux.)
FILES_A_TASK = {"prefork": 6, "threads": 2, "gevent": 2, "solo": 2}
FILES_BESIDE = 30
COLUMNS = 88  # what fits beside JupyterLab's sidebar, in the book and on GitHub
BOOT = 60  # seconds until a worker must answer; on an idle machine it takes one

# Settings that Celery documents and reads, and leaves out of the list by which its command line knows their types.
UNLISTED = {"result_backend_thread_safe": "bool"}

ASKED = 5  # seconds that a worker may take to answer a question
SETTLE = 5  # seconds that a worker may take to hear from its processes what they have done

labels: set[str] = set()


class Worker(Process):
    """A running worker: `node` is its name for Celery, `command` the command line that started it.

    Printed, it is that command, folded.
    """

    def __init__(
        self,
        keeper: Keeper,
        options: list[str],
        *,
        label: str = "worker",
        grace: bool,
        settings: list[str] | None = None,
    ) -> None:
        """`options` are those of `celery worker`; `settings` follow them, behind a `--`."""
        label = unused(label)
        # The kernel's pid keeps the node names of two notebooks on one Redis apart.
        self.node = f"{label}{LAB_NODE}{os.getpid()}"
        arguments = ["-A", "tasks", "worker", *options, "--loglevel", "INFO", "--hostname", self.node]
        arguments += ["--", *settings] if settings else []
        self.command = shlex.join(["celery", *arguments])
        self._is_ready = False
        self._asked = time.monotonic()  # when it was last asked whether it is there
        # The worker's temporary files go where they are removed, even if it is killed.
        environment = child_environment(keeper.folder, TMPDIR=str(keeper.folder))
        super().__init__(
            keeper,
            label,
            [sys.executable, "-m", "celery", *arguments],
            env=environment,
            cwd=ROOT,
            grace=grace,
        )

    @property
    def pids(self) -> list[int]:
        """The process ids: the worker itself first, then the processes of its pool."""
        from tasks import app

        with deadline(2 * ASKED, lambda: f"{self.name} does not answer. {self.tail()}"):
            stats = (app.control.inspect([self.node], timeout=ASKED).stats() or {}).get(self.node)
        if stats is None:
            raise LabError(f"{self.name} does not answer. {self.tail()}")
        children = stats["pool"].get("processes", [])
        return [stats["pid"], *sorted(pid for pid in children if pid != stats["pid"])]

    def signal(self, number: int, *, group: bool = False) -> None:
        """Send a signal to the worker, or to its whole group; before a SIGTERM, see what has ended noted."""
        if number == signal.SIGTERM and self.returncode is None:
            self._let_it_note_what_has_ended()
        super().signal(number, group=group)

    def _let_it_note_what_has_ended(self) -> None:
        """Wait until the worker has heard from its processes of all tasks whose results are stored.

        A result is stored a moment before the worker hears of it. A SIGTERM in between lets a worker with processes
        (Celery 5.7.0, billiard 4.3) hang for 30 s, billiard's GUARANTEE_MESSAGE_CONSUMPTION_RETRY_LIMIT, and then
        put the message of the task that has ended back into the queue.
        """
        from tasks import app

        without_redis = (OperationalError, redis.RedisError, OSError)  # nobody can ask then
        with suppress(LabError, *without_redis), deadline(SETTLE, str) as check:
            while True:
                active = (app.control.inspect([self.node], timeout=1).active() or {}).get(self.node, [])
                if not any(app.AsyncResult(task["id"]).ready() for task in active):
                    return
                check()
                time.sleep(0.02)

    def stop(self, *, timeout: float = 60) -> None:
        """The warm shutdown: it takes no more messages, finishes its tasks, and ends."""
        super().stop(timeout=timeout)

    def ready(self) -> "Worker":
        """Wait until the worker answers a ping. Raises `LabError` if it ends, or after `BOOT` seconds."""
        if not self._is_ready:
            self.wait_for("it answered a ping", self._answers, timeout=BOOT)
            self._is_ready = True
        return self

    def _answers(self) -> bool:
        """Whether it answers a ping. Asked when the log says that it is ready; whatever that says, once a second."""
        from tasks import app

        if f"{self.node} ready" not in self.log() and time.monotonic() - self._asked < 1:
            return False
        self._asked = time.monotonic()
        try:
            # A worker may lose the first one; asked again soon, it does not look slower than it is.
            return bool(app.control.ping([self.node], timeout=0.2, limit=1))
        except (OperationalError, redis.RedisError):  # of a Redis that was started again: the next try opens a new one
            return False

    def __enter__(self) -> "Worker":
        with self._or_killed():
            return self.ready()

    def __exit__(self, *_: object) -> None:
        with self._or_killed():
            if self.returncode is None:
                self.stop()

    @contextmanager
    def _or_killed(self) -> Iterator[None]:
        """What leaves this block early, an interrupt too, leaves no worker."""
        try:
            yield
        except BaseException:
            with interrupts_later():
                self.kill()
            raise

    def __repr__(self) -> str:
        return f"<{self.name}: {self.command}>"

    def __str__(self) -> str:
        return folded(self.command)


def folded(command: str, start: str = "") -> str:
    """The command behind `start`, on several lines where one would be too long, as a shell takes them.

    It breaks before an option or a setting, and at the same places whichever pid is in the node's name: as if that
    had seven digits, the most that Linux gives.
    """
    options, _, settings = command.partition(" -- ")
    pieces = re.split(r" (?=--)", options)
    if settings:
        first, *others = map(shlex.quote, shlex.split(settings))
        pieces += [f"-- {first}", *others]
    lines, indent = [start + pieces[0]], " " * (len(start) + 4)
    for number, piece in enumerate(pieces[1:], start=2):
        end = "" if number == len(pieces) else " \\"
        longest = re.sub(rf"{LAB_NODE}\d+", f"{LAB_NODE}1234567", f"{lines[-1]} {piece}{end}")
        if len(longest) <= COLUMNS:
            lines[-1] += f" {piece}"
        else:
            lines[-1] += " \\"
            if len(indent + piece) > COLUMNS:  # a dict, in quotes: between these a line may end as it is
                piece = piece.replace(', "', f',\n{indent}    "')
            lines += f"{indent}{piece}".split("\n")
    return "\n".join(lines)


def unused(label: str) -> str:
    """The label, or with a number behind it where this kernel has used it already."""
    free = next(name for n in count(1) if (name := label if n == 1 else f"{label}-{n}") not in labels)
    labels.add(free)
    return free


def worker_options(
    concurrency: int,
    pool: str,
    queues: str | list[str] | None,
    include: str | None,
    **more: int | float | str | bool,
) -> list[str]:
    """The command-line options for a worker. Raises `LabError` for a value out of range."""
    if pool not in POOLS:
        raise LabError(f"pool is one of {', '.join(POOLS)}, not {pool!r}.")
    most = MOST_GREEN if pool == "gevent" else MOST
    if not isinstance(concurrency, int) or isinstance(concurrency, bool) or not 1 <= concurrency <= most:
        raise LabError(f"concurrency is a whole number from 1 to {most}, not {concurrency!r}.")
    needed, allowed = FILES_A_TASK[pool] * concurrency + FILES_BESIDE, file_limit()
    if needed > allowed:
        raise LabError(
            f"A worker that runs {concurrency} tasks at once has about {needed} files open, and may have {allowed:g} "
            "here. Allow more before Jupyter is started: ulimit -n 4096."
        )
    names = queue_names(queues)
    options = ["--concurrency", str(concurrency)]
    if pool != "prefork":
        options += ["--pool", pool]
    if names:
        options += ["--queues", ",".join(names)]
    if include:
        options += ["--include", include]
    for name, value in more.items():
        options += [_option(name)] if value is True else [_option(name), str(value)]
    # At its start a worker waits a second for others to greet it. The lab's have nothing to tell each other.
    return [*options, "--without-mingle"]


def settings_arguments(settings: Mapping[str, Any]) -> list[str]:
    """Celery's settings as its command line takes them, behind a `--`. Raises `LabError`: Celery has no such."""
    from celery.app.defaults import SETTING_KEYS

    if unknown := [name for name in settings if name not in SETTING_KEYS and name not in UNLISTED]:
        raise LabError(f"Celery has no setting {unknown[0]!r}: its documentation lists them under Configuration.")
    return [f"{name}={_cast(name, value)}" for name, value in settings.items()]


def _cast(name: str, value: Any) -> str:
    """The value as text, with its type where Celery's command line would not know it."""
    if isinstance(value, Mapping):
        return f"(dict){json.dumps(value)}"
    return f"({UNLISTED[name]}){value}" if name in UNLISTED else str(value)


def _option(name: str) -> str:
    """The command-line option, `--max-tasks-per-child` for max_tasks_per_child. `LabError`: Celery has no such."""
    from celery.bin.worker import worker as command

    known = {option for parameter in command.params for option in parameter.opts}
    option = "--" + name.replace("_", "-")
    if option not in known or name == "hostname":  # the lab finds its workers by the names it gives them
        raise LabError(f"celery worker takes no {option} here. celery worker --help lists its options.")
    return option


def queue_names(queues: str | list[str] | None) -> list[str]:
    """The names in `queues`, none for None. Raises `LabError` for anything that Celery could not split."""
    names = [queues] if isinstance(queues, str) else queues or []
    if not all(isinstance(name, str) and re.fullmatch(r"[\w.-]+", name) for name in names):
        raise LabError(f"queues is a name like slow, or a list of names, not {queues!r}.")
    return list(names)
