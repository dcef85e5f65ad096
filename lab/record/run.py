"""A run, as plain data: its tasks, their attempts, its requests, and where its time went (`lab.phases`)."""

import math
import re
import time
from dataclasses import dataclass, field

from ..basics.errors import LabError
from ..basics.request import SeenRequest


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
    queue: str = ""  # into which it was sent
    parent: str = ""  # the id of the task that sent it


@dataclass
class Run:
    """All that happened in one `lab.watch` block."""

    title: str
    started: float = field(default_factory=time.time)
    took: float | None = None  # seconds from the block's start to its end
    tasks: list[Task] = field(default_factory=list)
    requests: list[SeenRequest] = field(default_factory=list)
    peak: int = 0  # the most requests that the server had in flight at once
    second: str = ""  # the label of tasks that are drawn as a second kind

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


def phases(run: Run) -> dict[str, float]:
    """Seconds of each phase on the way of the task that ended last; together they are `run.took`.

    run: what `with lab.watch(…) as run:` gave, each of its tasks with an edge of its own

    The phases are

        submit  the client builds messages, this one and those before it
        queue   the message is published, waits in Redis, and reaches the worker
        start   the worker hands it to a process, which stores STARTED and connects to the server
        fetch   the server has the request
        result  the process stores the result, and the client reads it

    Raises `LabError` for a run without finished tasks, or whose tasks can't be told apart by their URLs.
    """
    last = max(run.tasks, key=_end, default=None)
    requests = [request for request in run.requests if last and request.edge == last.label]
    if last is None or run.took is None or len(requests) != 1 or not requests[0].end:
        raise LabError("phases needs a finished run whose tasks each fetch a different edge.")
    moments = [last.sent, last.received, requests[0].arrival, requests[0].end, run.started + run.took]
    names = ["submit", "queue", "start", "fetch", "result"]
    found, before = {}, run.started
    for name, moment in zip(names, moments, strict=True):
        # Each moment is taken by another process: two that nearly coincide may come in the other order.
        found[name] = max(moment or before, before) - before
        before = max(moment or before, before)
    return found


def _end(task: Task) -> float:
    return (task.attempts[-1].finished or 0) if task.attempts else 0


def _natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts "2-processes" before "10-processes"."""
    return [(int(part or 0), word) for part, word in re.findall(r"(\d*)(\D*)", name)]
