"""What ran when: a record of the tasks sent, and of the requests they made, inside a `with` block.

Three sources, none of them the notebook's own guess:

- Celery's events (`task-received`, `task-started`, …) tell when a worker did what with each task.
- The result backend publishes every state it stores; STARTED names the process that runs the task.
- The mock Facebook tells when each request arrived and ended, and how many were in flight.

All times are seconds since the Unix epoch, taken on one machine (containers share its clock).
"""

import json
import math
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

import redis
from kombu.exceptions import OperationalError

from .deadline import deadline
from .errors import LabError
from .facebook import Request

ADVICE = "lab.start() tells whether Redis still runs; if not, restart the kernel."
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # the shape of an id that nobody chose
OPEN = 20  # seconds for all that Redis must answer at the begin of a record
FLUSH = 5  # seconds that the last events of finished tasks may take to arrive
ENDINGS = {
    "task-succeeded": "SUCCESS",
    "task-failed": "FAILURE",
    "task-retried": "RETRY",
    "task-revoked": "REVOKED",
    "task-rejected": "REJECTED",
}


@dataclass
class Attempt:
    """One execution of a task: from the worker's start to its end (None: still running)."""

    started: float
    finished: float | None = None
    state: str = "STARTED"
    worker: str = ""  # the worker's node name
    pid: int | None = None  # the process of the worker's pool that ran it


@dataclass
class Task:
    """One message and what became of it."""

    id: str
    name: str
    label: str
    sent: float
    received: float | None = None
    attempts: list[Attempt] = field(default_factory=list)
    state: str = "PENDING"


@dataclass
class Run:
    """All that happened in one `lab.watch` block."""

    title: str
    started: float = field(default_factory=time.time)
    took: float | None = None  # seconds from the block's begin to its end
    tasks: list[Task] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    peak: int = 0  # the most requests that the server had in flight at once

    @property
    def processes(self) -> list[tuple[str, int | None]]:
        """The worker processes that ran tasks: node name and process id, workers in natural order."""
        seen = {(attempt.worker, attempt.pid) for task in self.tasks for attempt in task.attempts}
        return sorted(seen, key=lambda who: (_natural(who[0]), who[1] or 0))

    def seconds(self, node: str) -> float:
        """From the first task sent to the last one ended, among those that the worker `node` ran.

        Raises `LabError` if it ran none.
        """
        mine = [task for task in self.tasks if any(attempt.worker == node for attempt in task.attempts)]
        if not mine:
            raise LabError(f"{node} ran no task in this run. Run the cells again from the one that starts the workers.")
        return max(task.attempts[-1].finished or math.inf for task in mine) - min(task.sent for task in mine)


class Recorder:
    """Listens to Celery while a block runs and fills its `Run`."""

    def __init__(self, run: Run) -> None:
        from celery import signals

        from tasks import app

        self.run = run
        self._app = app
        self._prefix = app.backend.task_keyprefix.decode()
        self._tasks: dict[str, Task] = {}
        self._pids: dict[str, list[tuple[str, int]]] = {}  # task id: (node, pid) of each attempt, in order
        self._stored: set[str] = set()  # ids whose final state the backend has stored
        self._ended: set[str] = set()  # ids whose end an event has told
        self._changed = threading.Condition()
        self._marks: set[str] = set()
        self._sent_signal = signals.before_task_publish
        self._states = self._receiver = None
        try:
            with deadline(OPEN, lambda: f"Redis does not answer for {OPEN} s. {ADVICE}"):
                self._states = self._subscribe()
                self._listen()
        except BaseException:  # an interrupt, too
            self._stop()
            raise
        self._sent_signal.connect(self._on_sent)

    # What Celery tells

    def _on_sent(self, headers: dict[str, Any], **_: Any) -> None:
        task = Task(headers["id"], headers["task"], label_of(headers), time.time())
        with self._changed:
            self._tasks.setdefault(task.id, task)  # a retry is sent again under the same id
            self.run.tasks = list(self._tasks.values())

    def _on_event(self, event: dict[str, Any]) -> None:
        kind, at = event["type"], event["timestamp"]
        with self._changed:
            task = self._tasks.get(event.get("uuid", ""))
            if kind == "lab-mark":
                self._marks.add(event["mark"])
            elif task and kind == "task-received":
                task.received = task.received or at
            elif task and kind == "task-started":
                task.state = "STARTED"
                task.attempts.append(Attempt(at, worker=event["hostname"]))
                self._name_processes(task)
            elif task and kind in ENDINGS:
                task.state = ENDINGS[kind]
                self._ended.add(task.id)
                if task.attempts:
                    task.attempts[-1].finished, task.attempts[-1].state = at, task.state
            self._changed.notify_all()

    def _on_state(self, message: dict[str, Any]) -> None:
        with self._changed:
            if message["channel"].endswith(b"lab-mark"):
                self._marks.add(message["data"].decode())
            else:
                meta = json.loads(message["data"])
                if meta["status"] == "STARTED":
                    who = meta["result"]
                    self._pids.setdefault(meta["task_id"], []).append((who["hostname"], who["pid"]))
                    if task := self._tasks.get(meta["task_id"]):
                        self._name_processes(task)
                elif meta["status"] in ("SUCCESS", "FAILURE", "REVOKED"):
                    self._stored.add(meta["task_id"])
            self._changed.notify_all()

    def _name_processes(self, task: Task) -> None:
        for attempt, (node, pid) in zip(task.attempts, self._pids.get(task.id, []), strict=False):
            attempt.worker, attempt.pid = node, pid

    # Opening and closing

    def _subscribe(self) -> Any:
        """Follow the states that the result backend stores. Returns when Redis has confirmed."""
        pubsub = self._app.backend.client.pubsub()
        try:
            pubsub.psubscribe(**{f"{self._prefix}*": self._on_state})
            pubsub.get_message(timeout=FLUSH)
        except redis.RedisError as error:
            raise LabError(f"Redis does not answer ({type(error).__name__}). {ADVICE}") from None
        # A connection that ends does so with the lab, or with Redis: then there is nothing left to follow.
        return pubsub.run_in_thread(sleep_time=0.5, daemon=True, exception_handler=lambda e, p, thread: thread.stop())

    def _listen(self) -> None:
        """Follow Celery's events. Returns when an event of our own has come back."""
        connection = self._app.connection_for_read()
        self._receiver = receiver = self._app.events.Receiver(connection, handlers={"*": self._on_event})
        # Timestamps are seconds since the epoch everywhere; "localizing" would shift those of a container that
        # keeps another time zone by whole hours.
        receiver.event_from_message = partial(receiver.event_from_message, localize=False)

        def listen() -> None:
            with suppress(Exception), connection:  # it ends with the block, or with Redis
                receiver.capture(wakeup=False)

        threading.Thread(target=listen, name="lab-recorder", daemon=True).start()
        self._echo(self._send_event, "Celery's events")

    def _send_event(self, mark: str) -> None:
        with self._app.events.default_dispatcher() as dispatcher:
            dispatcher.send("lab-mark", mark=mark)

    def _publish_state(self, mark: str) -> None:
        self._app.backend.client.publish(f"{self._prefix}lab-mark", mark)

    def _echo(self, send: Callable[[str], None], what: str) -> None:
        """Send a mark until it comes back: all that was sent before it has been received by then."""
        late = f"{what} do not reach the notebook within {FLUSH} s. {ADVICE}"
        with deadline(FLUSH, lambda: late) as check:
            for attempt in count():
                mark = f"{id(self)}-{what}-{attempt}"
                with suppress(redis.RedisError, OperationalError):
                    send(mark)
                with self._changed:
                    if self._changed.wait_for(lambda mark=mark: mark in self._marks, timeout=0.2):
                        return
                check()

    def close(self) -> None:
        """Wait for the last events of the tasks that have a result, then stop listening."""
        self._sent_signal.disconnect(self._on_sent)
        try:
            self._echo(self._publish_state, "Task states")
            with self._changed:
                self._changed.wait_for(lambda: self._stored & self._tasks.keys() <= self._ended, timeout=FLUSH)
        finally:
            self._stop()

    def _stop(self) -> None:
        """Let both threads come to their end."""
        if self._receiver:
            self._receiver.should_stop = True
        if self._states:
            self._states.stop()


def _natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts "2-processes" before "10-processes"."""
    return [(int(part or 0), word) for part, word in re.findall(r"(\d*)(\D*)", name)]


def label_of(headers: dict[str, Any]) -> str:
    """A short name for a task's bar: its id if somebody chose it, else the last word of a URL, else the task's name."""
    if not UUID.fullmatch(headers["id"]):
        return headers["id"]
    arguments = headers.get("argsrepr") or ""
    if "://" in arguments:
        path = arguments.split("://", 1)[1].split("'")[0].split("?")[0]
        return path.rstrip("/").rsplit("/", 1)[-1]
    return headers["task"].rsplit(".", 1)[-1]
