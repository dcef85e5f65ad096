"""What a record makes of the tasks that its tasks send. The events are written by hand: no Redis is asked."""

import threading
from typing import Any

import pytest

from lab.record.recorder import Recorder
from lab.record.run import Run, Task


@pytest.fixture
def recorder() -> Recorder:
    """A recorder that listens to nobody, in whose run one task was sent."""
    made = Recorder.__new__(Recorder)
    first = Task("first", "tasks.fetch_url", "photos", sent=10.0)
    made.run, made._tasks, made._changed = Run("A run", tasks=[first]), {"first": first}, threading.Condition()
    made._pids, made._ended = {}, set()
    return made


def event(kind: str, at: float, **more: Any) -> dict[str, Any]:
    told = {"uuid": "page", "name": "site.make_page", "args": "([],)", "root_id": "first", "parent_id": "first"}
    return {"type": kind, "timestamp": at, "hostname": "w@h", **told, **more}


def test_a_task_that_a_task_sent_is_in_the_run(recorder: Recorder):
    recorder._on_event(event("task-sent", 11.0, routing_key="celery"))
    recorder._on_event(event("task-received", 11.1))
    recorder._on_event(event("task-started", 11.2))
    recorder._on_event(event("task-succeeded", 11.3))
    page = recorder.run.tasks[1]
    assert (page.id, page.parent, page.queue, page.sent) == ("page", "first", "celery", 11.0)
    assert (page.received, page.state, page.attempts[0].finished) == (11.1, "SUCCESS", 11.3)


def test_that_it_was_received_may_be_told_before_that_it_was_sent(recorder: Recorder):
    recorder._on_event(event("task-received", 11.1))
    recorder._on_event(event("task-sent", 11.0, routing_key="celery"))
    assert len(recorder.run.tasks) == 2
    assert (recorder.run.tasks[1].sent, recorder.run.tasks[1].received) == (11.0, 11.1)


def test_tasks_of_others_are_left_out(recorder: Recorder):
    recorder._on_event(event("task-sent", 11.0, root_id="somebody's"))
    recorder._on_event(event("task-started", 11.0))
    assert [task.id for task in recorder.run.tasks] == ["first"]
