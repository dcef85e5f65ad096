"""The picture of a workflow: what becomes a box, and which colour it has. No Redis is asked: no step has an id."""

import pytest
from celery import Celery, chain, chord, group

from lab.draw import workflow
from lab.draw.style import FAILED, RUNNING, WAITING
from lab.draw.workflow import _colours, _cut, _in_words, _size, draw_workflow
from lab.record.workflow import Following, Parallel, Step, part_of

app = Celery("drawn")


@app.task(name="drawn.step")
def step(*_):
    """Nothing."""


def a() -> Step:
    return Step("step", "PENDING")


def test_a_chord_is_its_header_and_what_follows():
    part = part_of(group(step.s(), step.s()) | step.s() | step.s())
    assert part == Following([Parallel([a(), a()]), a(), a()])
    assert _size(part) == (3, 2)
    assert part_of(chord([step.s(), step.s()], step.s())) == Following([Parallel([a(), a()]), a()])


def test_canvases_may_hold_canvases():
    inner = chain(step.s(), step.s())
    part = part_of(step.s() | group(inner, step.s()) | step.s())
    assert part == Following([a(), Parallel([Following([a(), a()]), a()]), a()])
    assert _size(part) == (4, 2)
    assert part_of(step.s()) == a()
    assert draw_workflow(step.s() | group(inner, step.s()) | step.s(), title="A canvas").png.startswith(b"\x89PNG")


def test_an_empty_group_can_be_drawn():
    assert draw_workflow(group([], app=app), title="Nothing").png


def test_many_steps_side_by_side_are_cut():
    part = _cut(Parallel([Step(f"s{n}", "SUCCESS") for n in range(20)]))
    assert isinstance(part, Parallel) and len(part.parts) == 8 and part.parts[-1] == Step("… and 13 more", "")


def test_states_are_told_by_colour_and_in_words(monkeypatch: pytest.MonkeyPatch):
    assert [_colours(state)[0] for state in ("PENDING", "STARTED", "SUCCESS", "REVOKED")] == [
        WAITING,
        RUNNING,
        "white",
        FAILED,
    ]
    part = Following([Parallel([Step("a", "SUCCESS"), Step("b", "FAILURE")]), Step("page", "PENDING")])
    assert _in_words(part) == "(a SUCCESS | b FAILURE) > page PENDING"
    monkeypatch.setattr(workflow, "part_of", lambda canvas: canvas)
    assert draw_workflow(part, title="T").words == "T\n(a SUCCESS | b FAILURE) > page PENDING"
