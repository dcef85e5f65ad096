"""The pictures, drawn from records made by hand: nothing runs here."""

import re
from dataclasses import replace
from itertools import product

import pytest
from PIL import ImageColor

import lab
from lab.basics.request import SeenRequest
from lab.draw.lanes import Bar, Lane, lanes_of
from lab.draw.live import frame_of
from lab.draw.style import FAILED, RUNNING, WAITING
from lab.draw.waits import draw_visits
from lab.record.run import Attempt, Run, Task
from tests.common import opened, share_of

BLUE = ImageColor.getrgb(RUNNING)


def make_visits(second: float = 1.0, state: str = "SUCCESS") -> list[Lane]:
    """Three visitors, one after the other, the last of whom has an answer of the given state."""
    return [
        Lane(
            f"v{n}",
            [Bar(n * second, (n + 1) * second, f"{n + 1}.00 s", state if n == 2 else "SUCCESS")],
            [Bar(0, n * second, "", "PENDING")],
        )
        for n in range(3)
    ]


def make_run(second: float = 1.0, state: str = "SUCCESS", title: str = "three") -> Run:
    """Three tasks on two processes, one of them in the given state; `second` stretches all times."""
    at = 1_700_000_000.0
    run = Run(title, started=at, took=3.2 * second)
    for number, pid in enumerate([11, 12, 11]):
        begin = at + (0.1 + number // 2 * 1.5) * second
        end = begin + 1.4 * second
        attempt = Attempt(begin, end, state if number == 1 else "SUCCESS", "two@lab", pid)
        run.tasks.append(Task(f"id{number}", "tasks.fetch_url", "posts", at, at, [attempt], attempt.state))
    return run


DRAWN = {
    "lanes": lambda second: lab.draw_lanes(make_run(second), title="T"),
    "two runs": lambda second: lab.draw_lanes(make_run(second), make_run(2 * second), title="T"),
    "staircase": lambda second: lab.draw_staircase({1: 6.1 * second, 3: 2.2}, {1: 6, 2: 4, 3: 2}, title="T"),
    "bars": lambda second: lab.draw_bars({"a": second, "b": 2.0}, title="T"),
    "visits": lambda second: draw_visits(make_visits(second), title="T"),
    "waits": lambda second: lab.draw_waits({"a": [second, 3 * second], "b": [0.005]}, title="T"),
    "panels": lambda second: lab.draw_panels({"start, s": {"a": second}, "memory, MB": {"a": 50.0}}, title="T"),
    "curves": lambda second: lab.draw_curves({"waiting": ({1: second, 5: 2.0}, {1: 2, 2: second})}, title="T"),
    "scaling": lambda second: lab.draw_scaling(
        {"a": ({1: second}, {1: 1, 100: 30}), "b": ({100: 3 * second}, {1: 1, 100: 3})}, title="T", xlabel="n", limit=1
    ),
    "overview": lambda second: lab.draw_overview(),
}


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_a_picture_is_a_png_of_twice_the_size_it_is_shown_at(draw):
    picture = draw(1.0)
    assert opened(picture).size == pytest.approx([2 * side for side in picture.size], abs=2)
    data, metadata = picture._repr_mimebundle_()
    assert data == {"image/png": picture.png, "text/plain": picture.words}
    assert metadata["image/png"] == dict(zip(("width", "height"), picture.size, strict=True))


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_its_words_do_not_depend_on_timings(draw):
    assert draw(1.0).words == draw(1.37).words
    assert draw(1.0).words


def test_words_tell_what_is_seen():
    assert lab.draw_lanes(make_run(), title="T").words == "T\nthree: 3 bars, in 2 lanes"
    failed = lab.draw_lanes(make_run(state="FAILURE"), title="T").words
    assert failed == "T\nthree: 3 bars, 1 of them failed, in 2 lanes"


def test_a_failed_bar_has_the_colour_of_failure():
    well, badly = (lab.draw_lanes(make_run(state=state), title="T") for state in ("SUCCESS", "FAILURE"))
    assert share_of(well, FAILED) == 0
    assert share_of(badly, FAILED) > 0.01
    assert share_of(well, RUNNING) > share_of(badly, RUNNING) > 0.01


def test_a_visitor_waits_pale_and_is_handled_solid():
    well, badly = (draw_visits(make_visits(state=state), title="T") for state in ("SUCCESS", "FAILURE"))
    # Three seconds of waiting (0 + 1 + 2) and three of being handled.
    assert share_of(well, WAITING) == pytest.approx(share_of(well, RUNNING), rel=0.1)
    assert share_of(well, FAILED) == 0
    assert share_of(badly, FAILED) > 0.01
    assert share_of(badly, RUNNING) == pytest.approx(share_of(well, RUNNING) * 2 / 3, rel=0.1)
    assert badly.words == "T\n3 visitors, 1 of them without success"


def test_a_visitor_may_have_any_name():
    assert opened(draw_visits([Lane("$a_{b$c^", [Bar(0, 1, "1.00 s", "SUCCESS")], [])], title="T"))


def test_visits_of_milliseconds_look_short_and_are_seen():
    picture = draw_visits(make_visits(0.001), title="T")
    assert 0 < share_of(picture, RUNNING) < 0.03


def test_a_wait_of_milliseconds_is_seen_beside_long_ones():
    both = lab.draw_waits({"mail": [25.0], "task": [0.005]}, title="T")
    image = opened(both)
    lower = image.crop((0, image.height // 2, image.width, image.height))
    seen = [x for x in range(lower.width) if any(lower.getpixel((x, y)) == BLUE for y in range(lower.height))]
    assert 4 <= len(seen) < 0.01 * lower.width
    assert both.words == "T\nbars, from the top: mail (1), task (1)"


@pytest.mark.parametrize("groups", [{}, {"mail": []}, {"mail": [0.0]}])
def test_without_waits_there_is_nothing_to_draw(groups):
    with pytest.raises(lab.LabError, match="draw_waits takes seconds by name"):
        lab.draw_waits(groups, title="T")


def test_tasks_of_one_process_that_overlap_have_a_slot_each():
    run = make_run()
    for task in run.tasks:
        task.attempts[0].pid = 11  # as threads have
    assert [lane.name for lane in lanes_of(run)] == ["process 1, slot 1", "process 1, slot 2"]
    assert [len(lane.running) for lane in lanes_of(run)] == [2, 1]
    # How many slots it takes depends on moments, so the words count processes.
    assert lab.draw_lanes(run, title="T").words == "T\nthree: 3 bars, in 1 lane"


def test_panels_have_the_same_names():
    with pytest.raises(lab.LabError, match="the same names in each panel"):
        lab.draw_panels({"s": {"a": 1.0}, "MB": {"b": 1.0}}, title="T")


def test_a_task_that_waits_for_ever_has_a_lane():
    run = make_run()
    run.tasks.append(Task("id3", "tasks.fetch_url", "likes", run.started))
    assert [lane.name for lane in lanes_of(run)] == ["process 1", "process 2", "in the queue"]
    assert share_of(lab.draw_lanes(run, title="T"), WAITING) > 0.001


def test_runs_without_anything_can_be_drawn():
    empty = Run("nothing", took=0.0)
    assert opened(lab.draw_lanes(empty, title="T"))
    assert frame_of(empty.title, [], 0)


def test_calls_at_once_take_a_lane_each():
    run = make_run()
    run.tasks = []
    run.requests = [
        SeenRequest("ada", "posts", status, run.started + begin, run.started + begin + 1 if status else None)
        for status, begin in ((200, 0.0), (500, 0.5), (200, 1.1), (None, 2.0))
    ]
    lanes = lanes_of(run)
    assert [[bar.state for bar in lane.running] for lane in lanes] == [["SUCCESS", "SUCCESS"], ["FAILURE", "STARTED"]]


def test_the_order_of_lanes_is_natural():
    run = make_run()
    run.tasks = [Task(f"{n}", "t", "t", 0, 0, [Attempt(1, 2, "SUCCESS", f"processes-{n}@lab", 1)]) for n in (10, 2, 1)]
    workers = [re.match(r"[\w-]+", lane.name)[0] for lane in lanes_of(run)]
    assert workers == ["processes-1", "processes-2", "processes-10"]


def test_a_live_frame_shows_the_lanes():
    run = make_run(state="FAILURE", title="<b>title</b>")
    run.tasks[2].attempts[0].finished = None
    frame = frame_of(run.title, lanes_of(run), now=2.6)
    assert frame.count("process 1") == frame.count("process 2") == 1
    assert frame.count(RUNNING) == 2 and frame.count(FAILED) == 1
    assert "&lt;b&gt;title&lt;/b&gt;: 2.6 s" in frame
    # Of the 2.6 s that have passed, the last task runs since 1.6.
    assert f"left: {100 * 1.6 / 2.6:.1f}%; width: {100 * 1.0 / 2.6:.1f}%" in frame


def test_tasks_that_nobody_has_taken_yet_are_shown_live():
    run = Run("waiting", started=100.0)
    run.tasks = [Task(f"{n}", "t", label, 100.0) for n, label in product(range(2), ("a",))]
    frame = frame_of(run.title, lanes_of(run), now=1.0)
    assert "in the queue" in frame
    assert frame.count(WAITING) == 2


@pytest.mark.parametrize(
    ("nodes", "names"),
    [
        (["other@lab", "pool@lab"], ["other, no. 1", "pool, no. 1"]),
        (["worker@one", "worker@two"], ["one, no. 1", "two, no. 1"]),  # as in three containers
    ],
)
def test_a_lane_is_called_by_what_tells_its_worker_from_others(nodes, names):
    run = make_run()
    for task, node in zip(run.tasks, [*nodes, nodes[0]], strict=True):
        task.attempts[0] = replace(task.attempts[0], worker=node)
    assert [lane.name for lane in lanes_of(run)] == names
