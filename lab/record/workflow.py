"""A workflow as plain data: which steps follow each other, which run side by side, and the state of each."""

from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Step:
    """One task: its id if somebody chose it, else its name; and its state."""

    name: str
    state: str


@dataclass(frozen=True)
class Following:
    """Steps, each of which begins when the one before has ended."""

    parts: "list[Part]"


@dataclass(frozen=True)
class Parallel:
    """Steps side by side."""

    parts: "list[Part]"


Part: TypeAlias = Step | Following | Parallel


def part_of(canvas: Any) -> Part:
    """A signature, chain, group or chord of Celery's as plain data, with the states that its steps have now.

    A step has the state that is stored for its id: one that was made with `.set(task_id=…)`. Without it, and before
    the workflow was sent, it is PENDING.
    """
    if canvas.task == "celery.chain":
        return _joined([part_of(task) for task in canvas.tasks])
    if canvas.task == "celery.chord":
        return _joined([Parallel([part_of(task) for task in canvas.tasks]), part_of(canvas.body)])
    if canvas.task == "celery.group":
        return Parallel([part_of(task) for task in canvas.tasks])
    id = canvas.options.get("task_id")
    state = canvas.app.AsyncResult(id).state if id else "PENDING"
    return Step(id or canvas.task.rsplit(".", 1)[-1], state)


def _joined(parts: list[Part]) -> Following:
    """One row of steps: a row within a row is a part of it."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, Following) else [part])]
    return Following(flat)
