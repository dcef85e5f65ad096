"""The pictures, drawn from records made by hand: nothing runs here."""

from dataclasses import replace
from itertools import groupby, product

import pytest
from PIL import ImageColor

import lab
from lab.basics.request import SeenRequest
from lab.draw.lanes import Bar, Lane, _key, groups_of
from lab.draw.live import KEY, frame_of
from lab.draw.names import names_of
from lab.draw.style import FAILED, RUNNING, WAITING
from lab.draw.waits import draw_visits, visit_key
from lab.record.run import Attempt, Run, Task
from lab.web.visitors import Visit, _lane
from tests.common import opened, share_of

BLUE, PALE, ALARM_COLOUR = (ImageColor.getrgb(colour) for colour in (RUNNING, WAITING, FAILED))


def lanes_of(run: Run) -> list[Lane]:
    return [lane for group in groups_of(run) for lane in group.lanes]


def width_of(picture: lab.draw.picture.Picture, colour: tuple[int, int, int]) -> int:
    """From the first to the last pixel of exactly this colour, from left to right."""
    image = opened(picture)
    found = [x for x in range(image.width) if any(image.getpixel((x, y)) == colour for y in range(image.height))]
    return found[-1] - found[0] + 1


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
    assert lab.draw_lanes(make_run(), title="T").words == "T\nthree: 3 bars on 2 processes"
    failed = lab.draw_lanes(make_run(state="FAILURE"), title="T").words
    assert failed == "T\nthree: 3 bars, 1 of them failed, on 2 processes"


def test_calls_in_turn_are_described_alike_whichever_process_runs_them():
    words = set()
    for pids in ([11, 11, 11], [11, 12, 11]):
        run = make_run()
        run.peak = 1
        for task, pid in zip(run.tasks, pids, strict=True):
            task.attempts[0] = replace(task.attempts[0], pid=pid)
        words.add(lab.draw_lanes(run, title="T").words)
    assert words == {"T\nthree: 3 bars one after the other"}


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
    assert badly.words == "T\n3 lanes, one for each visitor; 1 without a good answer"


def make_visit(wait: float, status: int | None = 200, *, start: float = 0.0, begin: float | None = 0.0) -> Visit:
    """One visit of a site that has handled it long before the visitor has the answer."""
    return Visit("v", status, "", start, wait, begin, None if begin is None else begin + 0.001)


@pytest.mark.parametrize("begin", [0.3, None], ids=["a site that tells", "another site"])
def test_a_lane_is_as_long_as_the_wait_that_its_label_names(begin):
    lane = _lane(make_visit(2.0, start=0.1, begin=begin))
    bars = [*lane.waiting, *lane.running]
    assert bars[0].begin == 0.1
    assert bars[-1].end - bars[0].begin == pytest.approx(2.0)
    assert bars[-1].label == "2.00 s"
    assert all(before.end == after.begin for before, after in zip(bars, bars[1:], strict=False))


@pytest.mark.parametrize(
    ("status", "label"), [(500, "0.010 s  ✗ failed: status 500"), (None, "0.010 s  ✗ failed: no answer")]
)
def test_a_failed_visit_says_so_in_words_and_is_no_longer_than_another(status, label):
    well, badly = (_lane(make_visit(0.01, each)) for each in (200, status))
    assert badly.running[0].label == label
    assert width_of(draw_visits([badly], title="T"), ALARM_COLOUR) <= width_of(draw_visits([well], title="T"), BLUE)


def test_words_say_what_pale_dark_and_hatched_mean():
    assert visit_key(told=True) == "pale: waits for the site to begin  ·  dark: is served, until the answer"
    assert visit_key(told=False, failed=True) == "dark: waits for the answer  ·  hatched: failed"

    def key_of(run: Run) -> str:
        return _key(lanes_of(run), run.took)

    assert key_of(make_run()) == "pale strip: waits  ·  dark bar: runs"  # the third task has waited for the first
    assert key_of(make_run(state="FAILURE")) == "pale strip: waits  ·  dark bar: runs  ·  hatched bar: failed"
    quick = make_run(state="RETRY")
    quick.tasks.pop()
    assert key_of(quick) == "dark bar: runs  ·  hatched bar: failed"
    quick.tasks.pop()
    assert key_of(quick) == ""  # all bars are dark


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
    assert lab.draw_lanes(run, title="T").words == "T\nthree: 3 bars on 1 process"


def test_panels_have_the_same_names():
    with pytest.raises(lab.LabError, match="the same names in each panel"):
        lab.draw_panels({"s": {"a": 1.0}, "MB": {"b": 1.0}}, title="T")


def test_a_task_that_waits_for_ever_has_a_lane():
    run = make_run()
    run.tasks.append(Task("id3", "tasks.fetch_url", "likes", run.started))
    assert [lane.name for lane in lanes_of(run)] == ["process 1", "process 2", "in the queue"]
    assert share_of(lab.draw_lanes(run, title="T"), WAITING) > 0.001
    assert lab.draw_lanes(run).words == "three: 3 bars on 2 processes; below them a lane for the queue"
    run.tasks = run.tasks[3:]
    assert lab.draw_lanes(run).words == "three: 0 bars in a lane for the queue"


def test_runs_without_anything_can_be_drawn():
    empty = Run("nothing", took=0.0)
    assert opened(lab.draw_lanes(empty, title="T"))
    assert frame_of(empty.title, groups_of(empty), 0)


def test_without_a_run_there_is_nothing_to_draw():
    with pytest.raises(lab.LabError, match="draw_lanes takes what lab.watch gave"):
        lab.draw_lanes(title="T")


def test_calls_at_once_take_a_lane_each():
    run = make_run()
    run.tasks = []
    run.requests = [
        SeenRequest("ada", "posts", status, run.started + begin, run.started + begin + 1 if status else None)
        for status, begin in ((200, 0.0), (500, 0.5), (200, 1.1), (None, 2.0))
    ]
    lanes = lanes_of(run)
    assert [[bar.state for bar in lane.running] for lane in lanes] == [["SUCCESS", "SUCCESS"], ["FAILURE", "STARTED"]]
    assert lab.draw_lanes(run).words == "three: 4 bars, 1 of them failed, in 2 lanes"


def test_the_order_of_lanes_is_natural():
    run = make_run()
    run.tasks = [Task(f"{n}", "t", "t", 0, 0, [Attempt(1, 2, "SUCCESS", f"processes-{n}@lab", 1)]) for n in (10, 2, 1)]
    assert [group.name for group in groups_of(run)] == ["processes-1", "processes-2", "processes-10"]


def test_a_live_frame_shows_the_lanes():
    run = make_run(state="FAILURE", title="<b>title</b>")
    run.tasks[2].attempts[0].finished = None
    frame = frame_of(run.title, groups_of(run), now=2.6)
    assert frame.count("process 1") == frame.count("process 2") == 1
    assert frame.count(RUNNING) == 2 and frame.count(FAILED) == 1
    assert "&lt;b&gt;title&lt;/b&gt;: 2.6 s" in frame
    # Of the 2.6 s that have passed, the last task runs since 1.6.
    assert f"left: {100 * 1.6 / 2.6:.1f}%; width: {100 * 1.0 / 2.6:.1f}%" in frame


def test_tasks_that_nobody_has_taken_yet_are_shown_live():
    run = Run("waiting", started=100.0)
    run.tasks = [Task(f"{n}", "t", label, 100.0) for n, label in product(range(2), ("a",))]
    frame = frame_of(run.title, groups_of(run), now=1.0)
    assert "in the queue" in frame and KEY in frame
    assert frame.count(WAITING) == 2


def share_among(run: Run, *nodes: str, queue: str = "celery") -> Run:
    """The same run, its tasks taken in turn by these workers."""
    for number, task in enumerate(run.tasks):
        task.queue = queue
        task.attempts[0] = replace(task.attempts[0], worker=nodes[number % len(nodes)])
    return run


@pytest.mark.parametrize(
    ("nodes", "names"),
    [
        (["other@lab", "pool@lab"], ["other", "pool"]),
        (["worker@one", "worker@two"], ["one", "two"]),
        (["worker@0a78ee0c", "worker@39859d83"], ["host A", "host B"]),  # containers make up names of hex digits
        (["worker@0a78ee0c12ab", "worker@web"], ["host A", "web"]),
        (["pool-of-1-2@lab", "pool-of-2-2@lab"], ["pool-of-1-2", "pool-of-2-2"]),  # of neither is there a queue
        (["modest-2@lab", "worker-3@lab"], ["modest", "worker"]),  # started again
        (["modest-2@lab", "modest@lab"], ["modest-2", "modest"]),  # both at once
        (["worker@lab"], [""]),
    ],
)
def test_a_worker_is_called_by_what_tells_it_from_others(nodes, names):
    groups = groups_of(share_among(make_run(), *nodes, queue="modest"))
    assert [group.name for group in groups] == names
    assert {lane.name for group in groups for lane in group.lanes} <= {"process 1", "process 2"}


def test_a_worker_that_was_started_again_is_called_by_its_queue():
    run = share_among(make_run(), "pool-of-1-2@lab", "pool-of-2-2@lab")
    for task, queue in zip(run.tasks, ["pool-of-1", "pool-of-2", "pool-of-1"], strict=True):
        task.queue = queue
    assert [group.name for group in groups_of(run)] == ["pool-of-1", "pool-of-2"]


def test_each_worker_of_a_run_has_its_own_seconds():
    run = share_among(make_run(), "one@lab", "two@lab")
    # The first and the last task are the first worker's: 3.0 s from the first one sent to the last one ended.
    assert [group.heading for group in groups_of(run)] == ["one: 3.00 s", "two: 1.50 s"]
    words = lab.draw_lanes(run).words
    assert words == "three: 3 bars on 2 processes; workers, from the top: one, two"
    run.took = None  # it goes on
    assert [group.heading for group in groups_of(run)] == ["one", "two"]
    frame = frame_of(run.title, groups_of(run), now=1.0)
    assert frame.count(">one<") == frame.count(">two<") == 1


def test_a_task_without_an_end_leaves_its_worker_without_seconds():
    run = share_among(make_run(), "one@lab", "two@lab")
    run.tasks[1].attempts[0].finished = None
    assert [group.heading for group in groups_of(run)] == ["one: 3.00 s", "two"]


def test_where_one_run_has_two_workers_all_runs_of_the_picture_name_theirs():
    alone, shared = share_among(make_run(), "one@lab"), share_among(make_run(), "one@lab", "two@lab")
    assert names_of([alone]) == {}
    assert [group.heading for group in groups_of(alone, [alone, shared])] == ["one"]
    first, second = (line.partition("; ")[2] for line in lab.draw_lanes(alone, shared).words.splitlines())
    assert (first, second) == ("worker: one", "workers, from the top: one, two")


def stretches(picture: lab.draw.picture.Picture, share: float) -> list[tuple[str, int, int]]:
    """What is pale and what is dark in one column of pixels, from the top down: its kind, and where it begins and ends.

    `share` is how far to the right the column is.
    """
    image = opened(picture)
    column = [image.getpixel((round(share * image.width), y)) for y in range(image.height)]
    places = [(colour, list(same)) for colour, same in groupby(range(image.height), lambda y: column[y])]
    kinds = {PALE: "strip", BLUE: "bar"}
    return [(kinds[colour], same[0], same[-1]) for colour, same in places if colour in kinds]


def test_strips_lie_apart_and_nearer_to_their_own_lane_than_to_the_one_above():
    run = Run("two lanes", started=0.0, took=2.2)
    for number in range(6):
        begin = 0.1 + number // 2 * 0.7
        attempt = Attempt(begin, begin + 0.7, "SUCCESS", "two@lab", 11 + number % 2)
        run.tasks.append(Task(f"{number}", "t", "", 0.0, 0.0, [attempt], "SUCCESS"))
    found = stretches(lab.draw_lanes(run), 0.2)
    assert [kind for kind, _, _ in found] == ["strip", "strip", "bar", "strip", "strip", "bar"]
    gaps = [after - end for (_, _, end), (_, after, _) in zip(found, found[1:], strict=False)]
    between_strips, to_its_bar, to_the_lane_above = gaps[0], gaps[1], gaps[2]
    assert between_strips > 3 and 3 < to_its_bar < to_the_lane_above / 2


def test_many_strips_stay_apart():
    run = Run("one lane", started=0.0, took=6.0)
    for number in range(20):
        attempt = Attempt(0.3 * number, 0.3 * (number + 1), "SUCCESS", "one@lab", 11)
        run.tasks.append(Task(f"{number}", "t", "", 0.0, 0.0, [attempt], "SUCCESS"))
    assert [kind for kind, _, _ in stretches(lab.draw_lanes(run), 0.13)] == ["strip"] * 18 + ["bar"]
