"""Celery workers: real `celery -A tasks worker` processes, started for the notebook that asks."""

import os
import re
import shlex
import signal
import sys
import time
from contextlib import suppress
from typing import Any

import redis
from kombu import Connection
from kombu.exceptions import OperationalError

from ..basics.deadline import deadline
from ..basics.environment import child_environment
from ..basics.errors import LabError
from ..basics.interrupts import undone_on_failure
from ..basics.places import ROOT
from ..basics.text import COLUMNS
from ..basics.waiting import wait_until
from .keeper import Keeper
from .process import Process, unused_name

COURSE_PROCESSES = 5  # of the course's worker: one for each of a timeline's edges
LAB_NODE = "@lab-"  # in the node name of every worker that a lab started
BOOT_SECONDS = 60  # until a worker must answer; on an idle machine it takes one

ANSWER_SECONDS = 5  # for a worker to answer a question
SETTLE_SECONDS = 5  # for a worker to hear from its processes what they have done


class Worker(Process):
    """A running worker: `node` is its name for Celery, `queue` the first of the queues that it serves, `command` the
    command line that started it.

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
        label = unused_name(label)
        # The kernel's pid keeps the node names of two notebooks on one Redis apart.
        self.node = f"{label}{LAB_NODE}{os.getpid()}"
        self.queue = options[options.index("--queues") + 1].split(",")[0] if "--queues" in options else "celery"
        level = [] if "--loglevel" in options else ["--loglevel", "INFO"]
        arguments = ["-A", "tasks", "worker", *options, *level, "--hostname", self.node]
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
        with deadline(2 * ANSWER_SECONDS, lambda: f"{self.name} does not answer. {self.tail()}"):
            stats = self._answer("stats", seconds=ANSWER_SECONDS)
        if stats is None:
            raise LabError(f"{self.name} does not answer. {self.tail()}")
        children = stats["pool"].get("processes", [])
        return [stats["pid"], *sorted(pid for pid in children if pid != stats["pid"])]

    def signal(self, number: int, *, group: bool = False) -> None:
        """Send a signal to the worker, or to its group; before a SIGTERM, wait until finished tasks are recorded."""
        if number == signal.SIGTERM and self.returncode is None:
            self._wait_until_recorded()
        super().signal(number, group=group)

    def _wait_until_recorded(self) -> None:
        """Wait until the worker has heard from its processes of all tasks whose results are stored.

        A result is stored a moment before the worker hears of it. A SIGTERM in between lets a worker with processes
        (Celery 5.7.0, billiard 4.3) hang for 30 s, billiard's GUARANTEE_MESSAGE_CONSUMPTION_RETRY_LIMIT, and then
        put the message of the task that has ended back into the queue.
        """
        from tasks import app

        without_redis = (OperationalError, redis.RedisError, OSError)  # nobody can ask then

        def is_recorded() -> bool:
            return not any(app.AsyncResult(task["id"]).ready() for task in self._answer("active") or [])

        with suppress(LabError, *without_redis):
            wait_until(is_recorded, SETTLE_SECONDS, str)

    def stop(self, *, timeout: float = 60) -> None:
        """The warm shutdown: it takes no more messages, finishes its tasks, and ends."""
        super().stop(timeout=timeout)

    def ready(self) -> "Worker":
        """Wait until the worker answers a ping. Raises `LabError` if it ends, or after `BOOT_SECONDS`."""
        if not self._is_ready:
            self.wait_for("it answered a ping", self._answers, timeout=BOOT_SECONDS)
            self._is_ready = True
        return self

    def wait_until_full(self, *, timeout: float = 30) -> None:
        """Wait until the worker runs what it can, and has taken all the messages that it may hold meanwhile.

        timeout: seconds to wait (default 30)

        It may hold processes times prefetch multiplier unacknowledged messages, and fewer if its queues are empty.
        Returns while the tasks run. Raises `LabError` with the log's tail after `timeout` seconds.
        """
        self.wait_for("it was full", self._is_full, timeout=timeout)

    def wait_until_idle(self, *, timeout: float = 30) -> None:
        """Wait until the worker has nothing more to do: no task that runs, no message that it has not acknowledged.

        timeout: seconds to wait (default 30)

        A result may be there a moment before its message is acknowledged. Raises `LabError` with the log's tail after
        `timeout` seconds.
        """
        self.wait_for("it was idle", self._is_idle, timeout=timeout)

    def _answer(self, question: str, *, seconds: float = 1) -> Any:
        """What the worker answers to a question of `celery inspect`, such as "active"; None: no answer in time."""
        from tasks import app

        answers = getattr(app.control.inspect([self.node], timeout=seconds), question)()
        return (answers or {}).get(self.node)

    def _is_idle(self) -> bool:
        return self._answer("active") == self._answer("reserved") == []

    def _is_full(self) -> bool:
        from tasks import app

        read = [queue["name"] for queue in self._answer("active_queues") or []]
        # The queues before the worker: a message that it takes in between is then among those that it holds.
        with app.connection_for_read() as connection:
            waiting = sum(_length(connection, queue) for queue in read)
        active, reserved, stats, conf = map(self._answer, ("active", "reserved", "stats", "conf"))
        if not active or reserved is None or not stats or conf is None:
            return False
        held = len(reserved) + sum(not task["acknowledged"] for task in active)
        is_busy = len(active) == stats["pool"]["max-concurrency"] or not reserved
        takes_no_more = held >= stats["prefetch_count"] or not waiting
        return is_busy and takes_no_more and all(_is_stored(task, conf) for task in active)

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
        with undone_on_failure(self.kill):
            return self.ready()

    def __exit__(self, *_: object) -> None:
        with undone_on_failure(self.kill):
            if self.returncode is None:
                self.stop()

    def __repr__(self) -> str:
        return f"<{self.name}: {self.command}>"

    def __str__(self) -> str:
        return folded(self.command)


def _length(connection: Connection, queue: str) -> int:
    """How many messages wait in this queue, of all priorities."""
    try:
        return connection.default_channel.queue_declare(queue, passive=True).message_count
    except connection.channel_errors:  # an empty list is no key in Redis
        return 0


def _is_stored(running: dict[str, Any], conf: dict[str, Any]) -> bool:
    """Whether this running task has stored that it has started, if it does. `conf` holds the worker's settings."""
    from tasks import app

    task, usual = app.tasks.get(running["name"]), app.conf.task_track_started
    # A task of its own mind keeps it; any other does as its worker is told.
    tracks = task.track_started if task and task.track_started != usual else conf.get("task_track_started", False)
    return not tracks or app.AsyncResult(running["id"]).state != "PENDING"


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
