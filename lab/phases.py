"""Where the time of a run goes, from the call of `delay` to the result in hand."""

from .errors import LabError
from .recorder import Run, Task


def phases(run: Run) -> dict[str, float]:
    """Seconds of each phase on the way of the task that ended last; together they are `run.took`.

    submit: the client builds messages, this one and those before it
    queue:  the message is published, waits in Redis, and reaches the worker
    start:  the worker hands it to a process, which stores STARTED and connects to the server
    fetch:  the server has the request
    result: the process stores the result, and the client reads it

    Raises `LabError` for a run without finished tasks, or whose tasks can't be told apart by their URLs.
    """
    last = max(run.tasks, key=_end, default=None)
    requests = [request for request in run.requests if last and request.edge == last.label]
    if last is None or run.took is None or len(requests) != 1 or not requests[0].end:
        raise LabError("phases needs a finished run whose tasks each fetched another edge.")
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
