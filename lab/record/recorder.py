"""What ran when: a record of the tasks sent, and of the requests they made, inside a `with` block.

Three sources, none of them the notebook's own guess:

- Celery's events (`task-received`, `task-started`, …) tell when a worker did what with each task.
- The result backend publishes every state it stores; STARTED names the process that runs the task.
- The mock Facebook tells when each request arrived and ended, and how many were in flight.

All times are seconds since the Unix epoch, taken on one machine (containers share its clock).

A `Recorder` has two threads beside the notebook's own: one waits for Celery's events, the other for the states that the
result backend publishes. First both subscribe, and a mark of our own has to come back from the events; then the block
runs, and what the threads hear goes into its `Run`, under one lock. At the end a mark is sent the other way, and when
it is back, every state before it has been heard, too.
"""

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any

import redis
from kombu.exceptions import OperationalError

from ..basics.deadline import deadline
from ..basics.errors import LabError
from .labels import label_of
from .run import Attempt, Run, Task

ADVICE = "lab.start() tells whether Redis still runs; if not, restart the kernel."
OPEN_SECONDS = 20  # for all that Redis must answer when a record opens
FLUSH_SECONDS = 5  # for the last events of finished tasks to arrive
ENDINGS = {
    "task-succeeded": "SUCCESS",
    "task-failed": "FAILURE",
    "task-retried": "RETRY",
    "task-revoked": "REVOKED",
    "task-rejected": "REJECTED",
}


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
        self._numbers = count()  # of the marks
        self._sent_signal = signals.before_task_publish
        self._states: Any = None
        self._receiver: Any = None
        try:
            with deadline(OPEN_SECONDS, lambda: f"Redis does not answer for {OPEN_SECONDS} s. {ADVICE}"):
                self._states = self._subscribe()
                self._listen()
        except BaseException:  # an interrupt, too
            self._stop()
            raise
        self._sent_signal.connect(self._on_sent)

    # What Celery tells

    def _on_sent(self, headers: dict[str, Any], routing_key: str = "", **_: Any) -> None:
        # A queue that the lab's workers read has the same name as its routing key.
        task = Task(headers["id"], headers["task"], label_of(headers), time.time(), queue=routing_key)
        with self._changed:
            self._tasks.setdefault(task.id, task)  # a retry is sent again under the same id
            self.run.tasks = list(self._tasks.values())

    def _on_event(self, event: dict[str, Any]) -> None:
        kind, at = event["type"], event["timestamp"]
        with self._changed:
            task = self._tasks.get(event.get("uuid", "")) or self._sent_by_a_task(event)
            if kind == "lab-mark":
                self._marks.add(event["mark"])
            elif task and kind == "task-sent":
                task.sent = min(task.sent, at)
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

    def _sent_by_a_task(self, event: dict[str, Any]) -> Task | None:
        """The task of an event, if a task of this run has sent it. That it was received may be told first."""
        if event["type"] not in ("task-sent", "task-received") or event.get("root_id") not in self._tasks:
            return None
        headers = {"id": event["uuid"], "argsrepr": event["args"], "task": event["name"]}
        task = Task(event["uuid"], event["name"], label_of(headers), event["timestamp"])
        task.queue, task.parent = event.get("routing_key") or "", event.get("parent_id") or ""
        self._tasks[task.id] = task
        self.run.tasks = list(self._tasks.values())
        return task

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
            pubsub.get_message(timeout=FLUSH_SECONDS)
        except redis.RedisError as error:
            raise LabError(f"Redis does not answer ({type(error).__name__}). {ADVICE}") from None

        def stop(_error: Exception, _pubsub: Any, thread: Any) -> None:
            """A connection that ends does so with the lab, or with Redis: then there is nothing left to follow."""
            thread.stop()

        return pubsub.run_in_thread(sleep_time=0.5, daemon=True, exception_handler=stop)

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
        late = f"{what} do not reach the notebook within {FLUSH_SECONDS} s. {ADVICE}"
        with deadline(FLUSH_SECONDS, lambda: late) as check:
            while not self._came_back(send, f"{id(self)}-{what}-{next(self._numbers)}"):
                check()

    def _came_back(self, send: Callable[[str], None], mark: str) -> bool:
        with suppress(redis.RedisError, OperationalError):
            send(mark)
        with self._changed:
            return self._changed.wait_for(lambda: mark in self._marks, timeout=0.2)

    def close(self) -> None:
        """Wait for the last events of the tasks that have a result, then stop listening."""
        self._sent_signal.disconnect(self._on_sent)
        try:
            self._echo(self._publish_state, "Task states")
            with self._changed:
                self._changed.wait_for(lambda: self._stored & self._tasks.keys() <= self._ended, timeout=FLUSH_SECONDS)
        finally:
            self._stop()

    def _stop(self) -> None:
        """Let both threads come to their end."""
        if self._receiver:
            self._receiver.should_stop = True
        if self._states:
            self._states.stop()
