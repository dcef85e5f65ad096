"""Lanes: who ran what, and when, from a record of it (`lab.draw_lanes`).

Time runs left to right. A lane is a process, a bar is a task: a pale strip while it waits, dark while it runs,
vermilion and hatched when it failed, purple where it is of a second kind (`Run.second`).
The lanes of a worker are a group.

Top to bottom: `groups_of` decides which lanes there are and what is in them; `draw_lanes` draws them. Processes come in
the order of `Run.processes` (`lab/record/run.py`), a notebook's own requests in that of their arrival; bars that
overlap in one process get a row each (`pack`). What a worker is called is in `names`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from ..basics.errors import LabError
from ..basics.request import SeenRequest
from ..basics.text import shorten
from ..record.run import Attempt, Run, Task
from .names import names_of
from .pack import pack
from .picture import Picture, finish, new_axes
from .rows import draw_bar, name_rows
from .style import ALARM, FAILED, INK, MODEL, ON_PAPER, RUNNING, SECOND, WAITING, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WAITS, RUNS = "pale strip: waits", "dark bar: runs"
OVERLAP_SECONDS = 0.05  # by so much two events of one process may be out of order

# Heights, in units of which each has UNIT_INCHES.
UNIT_INCHES = 0.3
HEADLINE, KEY, HEADING = 0.95, 0.7, 0.78  # of a run, of what pale and dark mean, of a worker
BAR, BELOW_BAR = 0.66, 0.26  # a bar, and the white below its lane
STRIP, MOST_STRIPS = 0.19, 2.0  # a strip with the white below it, and all strips of a lane
STRIP_SHARE = 0.57  # of its height that is pale
APART = 0.4  # between two groups
LETTER = 0.0092  # the width of a letter of a bar's label, as a share of the axis
LEAST_LETTERS = 4  # of a label that is worth showing


@dataclass(frozen=True)
class Bar:
    """A stretch of time in a lane, in seconds since its run started. `end` is None while it goes on."""

    begin: float
    end: float | None
    label: str
    state: str
    second: bool = False  # of a second kind

    @property
    def colour(self) -> str:
        return FAILED if self.state in ALARM else SECOND if self.second else RUNNING

    def end_or(self, now: float) -> float:
        """Its end, or `now` while it goes on."""
        return now if self.end is None else self.end


@dataclass(frozen=True)
class Lane:
    name: str
    running: list[Bar]
    waiting: list[Bar]
    process: str = ""  # of which this lane is a part, if several tasks run in it at once


@dataclass(frozen=True)
class Group:
    """Lanes that belong together. Those of one worker have its name, where a picture has several workers."""

    lanes: list[Lane]
    name: str = ""
    took: float | None = None  # seconds from the first task sent to the last one ended, of several workers in a run

    @property
    def heading(self) -> str:
        return self.name if self.took is None else f"{self.name}: {self.took:.2f} s"


# From a record to lanes


def groups_of(run: Run, picture: Sequence[Run] = ()) -> list[Group]:
    """The lanes of a run: those of each worker that ran tasks, or, where no task was sent, those of the notebook's own
    requests. `picture` is all runs of the same picture: if one of them has several workers, each worker is named."""
    if not run.tasks:
        return [Group(_request_lanes(run))]
    names = names_of(picture or [run])
    workers = [(node, list(processes)) for node, processes in groupby(run.processes, key=lambda process: process[0])]
    groups = [
        Group(
            [lane for number, process in enumerate(processes, 1) for lane in _process_lanes(run, number, process)],
            names.get(node, ""),
            _took(run, node) if len(workers) > 1 else None,
        )
        for node, processes in workers
    ]
    pending = [_bar(run, task.sent, None, task.label, "PENDING") for task in run.tasks if not task.attempts]
    return [*groups, Group([Lane("in the queue", [], pending)])] if pending else groups


def _process_lanes(run: Run, number: int, process: tuple[str, int | None]) -> list[Lane]:
    """The lane of the worker's process of this number; a lane for each slot where it ran several tasks at once."""
    mine = [(t, i, a) for t in run.tasks for i, a in enumerate(t.attempts) if (a.worker, a.pid) == process]
    mine.sort(key=lambda each: each[2].started)
    name = f"process {number}"
    rows = _side_by_side(mine)
    return [
        Lane(
            name if len(rows) == 1 else f"{name}, slot {slot}",
            [_bar(run, a.started, a.finished, task.label, a.state) for task, _, a in row],
            [_bar(run, _queued(task, i), a.started, task.label, "PENDING") for task, i, a in row],
            process=name,
        )
        for slot, row in enumerate(rows, start=1)
    ]


def _took(run: Run, node: str) -> float | None:
    """The worker's seconds, when the run is over and all its tasks have ended."""
    if run.took is None:
        return None
    seconds = run.seconds(node)
    return seconds if math.isfinite(seconds) else None


def _side_by_side(attempts: list[tuple[Task, int, Attempt]]) -> list[list[tuple[Task, int, Attempt]]]:
    """The attempts of one process, in as many rows as ran at once: threads and greenlets share a process.

    An attempt that begins a moment before the end of another is taken for the next one in the same row.
    """
    return pack(attempts, lambda last, each: (last[2].finished or math.inf) < each[2].started + OVERLAP_SECONDS) or [[]]


def _queued(task: Task, attempt: int) -> float:
    """Since when the task waited for this attempt."""
    before: Attempt | None = task.attempts[attempt - 1] if attempt else None
    return (before.finished or before.started) if before else task.sent


def _bar(run: Run, begin: float, end: float | None, label: str, state: str) -> Bar:
    return Bar(
        begin - run.started,
        None if end is None else end - run.started,
        label,
        state,
        bool(label) and label == run.second,
    )


def _request_lanes(run: Run) -> list[Lane]:
    """The notebook's own calls as the server saw them; calls in flight at once take a lane each."""
    bars = [
        _bar(run, request.arrival, request.end, request.edge, _state_of(request))
        for request in sorted(run.requests, key=lambda request: request.arrival)
    ]
    rows = pack(bars, lambda last, bar: last.end is not None and last.end <= bar.begin)
    names = ["one loop"] if len(rows) == 1 else [f"thread {n}" for n in range(1, len(rows) + 1)]
    return [Lane(name, row, []) for name, row in zip(names, rows, strict=True)]


def _state_of(request: SeenRequest) -> str:
    return "STARTED" if request.status is None else "SUCCESS" if request.status == 200 else "FAILURE"


# The picture


@plain
def draw_lanes(*runs: Run, title: str = "") -> Picture:
    """The lanes of one run or several, one below the other on one axis of seconds, each under its own title.

    runs:  as `with lab.watch(…) as run:` gave them
    title: stands above the picture (default "": none)

    Where a run has several workers, each has a heading with its own seconds: from the first of its tasks that was sent
    to the last one that ended. Raises `LabError` without a run.
    """
    if not runs:
        raise LabError("draw_lanes takes what lab.watch gave: lab.draw_lanes(run, title=…).")
    sections = [(run, groups_of(run, runs)) for run in runs]
    last = max(_last_moment(run, groups) for run, groups in sections)
    key = _key([lane for _, groups in sections for group in groups for lane in group.lanes], last)
    figure, axes = new_axes(1, title, "seconds")  # its height is known at the end
    y, ticks = 0.0, {}
    for number, (run, groups) in enumerate(sections):
        y += APART * bool(number)
        _write(axes, y + HEADLINE / 2, _headline(run), fontsize=10, weight="bold")
        y += HEADLINE
        if key and not number:
            _write(axes, y + KEY / 2 - 0.08, key, fontsize=9, color=MODEL)
            y += KEY
        for place, group in enumerate(groups):
            y += APART * bool(place)
            if group.name:
                _write(axes, y + HEADING / 2, group.heading, fontsize=9)
                y += HEADING
            for lane in group.lanes:
                middle, y = _draw_lane(axes, lane, y, last)
                ticks[middle] = lane.name
    name_rows(axes, ticks, y)
    axes.set(xlim=(0, last * 1.02))
    figure.set_figheight(UNIT_INCHES * y + (1.0 if title else 0.7))
    return finish(figure, "\n".join([*filter(None, [title]), *(_in_words(run, groups) for run, groups in sections)]))


def _write(axes: "Axes", y: float, text: str, *, fontsize: float, color: str = INK, weight: str = "normal") -> None:
    """A line of words above lanes, which the grid does not cross."""
    axes.text(
        0, y, text, fontsize=fontsize, color=color, weight=weight, va="center", bbox=ON_PAPER, parse_math=False
    )  # fmt: skip


def _draw_lane(axes: "Axes", lane: Lane, top: float, last: float) -> tuple[float, float]:
    """One lane: its strips, and close below them its bars. Gives the middle of the bars, and the end of the lane."""
    # The strip that ends first is nearest to the bars: from the end of each it is straight down to its own bar.
    strips = sorted(_strips(lane, last), key=lambda bar: bar.end_or(last), reverse=True)
    height = min(STRIP, MOST_STRIPS / max(len(strips), 1))
    for number, bar in enumerate(strips):
        axes.broken_barh(
            [(bar.begin, bar.end_or(last) - bar.begin)], (top + number * height, height * STRIP_SHARE),
            color=WAITING, linewidth=0,
        )  # fmt: skip
    bars_top = top + len(strips) * height
    for bar in lane.running:
        end = bar.end_or(last)
        alarm = bar.state in ALARM
        draw_bar(axes, bar.begin, end, (bars_top, BAR), alarm=alarm, linewidth=1, colour=bar.colour)
        if label := _fitting(bar, (end - bar.begin) / last):
            axes.text(
                (bar.begin + end) / 2, bars_top + BAR / 2 + 0.01, label, ha="center", va="center", fontsize=8,
                color="white", clip_on=True, weight="bold" if alarm else "normal", parse_math=False,
                bbox={"fc": bar.colour, "ec": "none", "pad": 1},
            )  # fmt: skip
    if not lane.running:  # nothing but strips
        middle = (top + bars_top) / 2
        return middle, max(bars_top, middle + 0.3) + BELOW_BAR
    return bars_top + BAR / 2, bars_top + BAR + BELOW_BAR


def _strips(lane: Lane, last: float) -> list[Bar]:
    """The waits that are long enough to be seen."""
    return [bar for bar in lane.waiting if bar.end_or(last) - bar.begin > 0.05 * last]


def _fitting(bar: Bar, share: float) -> str:
    """As much of the bar's label as fits into its share of the axis."""
    letters = int(share / LETTER) - 1
    if len(bar.label) <= letters:
        return bar.label
    return shorten(bar.label, letters) if letters >= LEAST_LETTERS else ""


# Words


def _key(lanes: Sequence[Lane], last: float) -> str:
    """What pale, dark and hatched mean, where there is more than dark."""
    waits = any(_strips(lane, last) for lane in lanes)
    failed = any(bar.state in ALARM for lane in lanes for bar in lane.running)
    second = {f"purple bar: {bar.label}": True for lane in lanes for bar in lane.running if bar.second}
    return key_words({WAITS: waits, RUNS: waits or failed, "hatched bar: failed": failed, **second})


def key_words(kinds: Mapping[str, bool]) -> str:
    """One line of those kinds that a picture has."""
    return "  ·  ".join(words for words, is_there in kinds.items() if is_there)


def _last_moment(run: Run, groups: Iterable[Group]) -> float:
    lanes = [lane for group in groups for lane in group.lanes]
    ends = [bar.end or bar.begin for lane in lanes for bar in lane.running + lane.waiting]
    return max([run.took or 0.0, 0.1, *ends])


def _headline(run: Run) -> str:
    return f"{run.title}: {run.took:.2f} s" if run.took is not None else run.title


def _in_words(run: Run, groups: Sequence[Group]) -> str:
    """What the lanes show that is the same in every run: how many bars of which kind, in whose lanes.

    How many threads a process needed at once is a matter of moments, so its lanes are not counted. The same is true of
    the processes of calls that never overlap.
    """
    lanes = [lane for group in groups for lane in group.lanes]
    bars = [bar for lane in lanes for bar in lane.running]
    failed = sum(bar.state in ALARM for bar in bars)
    kinds = _counted(len(bars), "bar") + (f", {failed} of them failed," if failed else "")
    processes = len(
        {(place, lane.process) for place, group in enumerate(groups) for lane in group.lanes if lane.process}
    )
    if not run.tasks:
        where = "in " + _counted(len(lanes), "lane")
    elif processes and run.peak == 1 and len(bars) > 1:
        where = "one after the other"
    elif processes:
        where = "on " + _counted(processes, "process", "processes")
    else:
        where = "in a lane for the queue"
    names = [group.name for group in groups if group.name]
    whose = f"; worker{'s, from the top' * (len(names) > 1)}: {', '.join(names)}" if names else ""
    waiting = "; below them a lane for the queue" if processes and any(not lane.process for lane in lanes) else ""
    return f"{run.title}: {kinds} {where}{whose}{waiting}"


def _counted(number: int, one: str, several: str = "") -> str:
    return f"{number} {one if number == 1 else several or one + 's'}"
