"""Lanes: who ran what, and when, from a record of it (`lab.draw_lanes`).

Time runs left to right. A lane is a process, a bar is a task: pale while it waits in the queue, solid while it
runs, vermilion and hatched when it failed.

Top to bottom: `lanes_of` decides which lanes there are and what is in them; `draw_lanes` draws them. Processes come in
the order of `Run.processes`, a notebook's own requests in that of their arrival.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..basics.request import SeenRequest
from ..record.run import Attempt, Run, Task
from .pack import pack
from .picture import Picture, finish, new_axes
from .rows import draw_bar, name_rows
from .style import ALARM, FAILED, INK, RUNNING, WAITING, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OVERLAP_SECONDS = 0.05  # by so much two events of one process may be out of order


@dataclass(frozen=True)
class Bar:
    """A stretch of time in a lane, in seconds since its run started. `end` is None while it goes on."""

    begin: float
    end: float | None
    label: str
    state: str

    def end_or(self, now: float) -> float:
        """Its end, or `now` while it goes on."""
        return now if self.end is None else self.end


@dataclass(frozen=True)
class Lane:
    name: str
    running: list[Bar]
    waiting: list[Bar]
    process: str = ""  # of which this lane is a part, if several tasks run in it at once


# From a record to lanes


def lanes_of(run: Run) -> list[Lane]:
    """One lane for each process that ran tasks, or, where no task was sent, for the notebook's own requests."""
    if run.tasks:
        return _process_lanes(run)
    return _request_lanes(run)


def _process_lanes(run: Run) -> list[Lane]:
    lanes = []
    nodes = [node for node, _ in run.processes]
    labels = _labels(nodes)
    for position, process in enumerate(run.processes):
        mine = [(t, i, a) for t in run.tasks for i, a in enumerate(t.attempts) if (a.worker, a.pid) == process]
        mine.sort(key=lambda each: each[2].started)
        number = position - nodes.index(process[0]) + 1
        name = f"process {number}" if len(set(nodes)) == 1 else f"{labels[process[0]]}, no. {number}"
        rows = _side_by_side(mine)
        for slot, row in enumerate(rows, start=1):
            lanes.append(
                Lane(
                    name if len(rows) == 1 else f"{name}, slot {slot}",
                    [_bar(run, a.started, a.finished, task.label, a.state) for task, _, a in row],
                    [_bar(run, _queued(task, i), a.started, task.label, "PENDING") for task, i, a in row],
                    process=name,
                )
            )
    pending = [t for t in run.tasks if not t.attempts]
    if pending:
        lanes.append(Lane("in the queue", [], [_bar(run, t.sent, None, t.label, "PENDING") for t in pending]))
    return lanes


def _labels(nodes: Iterable[str]) -> dict[str, str]:
    """What to call each worker of a picture: the name before the @, or, where two have the same, the host behind it."""
    parts = {node: node.partition("@") for node in nodes}
    names = {name for name, _, _ in parts.values()}
    return {node: name if len(names) == len(parts) else host or name for node, (name, _, host) in parts.items()}


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
    return Bar(begin - run.started, None if end is None else end - run.started, label, state)


def _request_lanes(run: Run) -> list[Lane]:
    """The notebook's own calls as the server saw them; calls in flight at once take a lane each."""
    bars = [
        _bar(run, request.arrival, request.end, request.edge, _state_of(request))
        for request in sorted(run.requests, key=lambda request: request.arrival)
    ]
    rows = pack(bars, lambda last, bar: last.end is not None and last.end <= bar.begin)
    names = ["this notebook"] if len(rows) == 1 else [f"thread {n}" for n in range(1, len(rows) + 1)]
    return [Lane(name, row, []) for name, row in zip(names, rows, strict=True)]


def _state_of(request: SeenRequest) -> str:
    return "STARTED" if request.status is None else "SUCCESS" if request.status == 200 else "FAILURE"


# The picture


@plain
def draw_lanes(*runs: Run, title: str = "") -> Picture:
    """The lanes of one run or several, one below the other on one axis of seconds, each under its own title.

    runs:  as `with lab.watch(…) as run:` gave them
    title: stands above the picture (default "": none)
    """
    sections = [(run, lanes_of(run)) for run in runs]
    last = max(_last_moment(run, lanes) for run, lanes in sections)
    rows = sum(len(lanes) + 1 for _, lanes in sections)
    figure, axes = new_axes(0.3 * rows + (1.0 if title else 0.7), title, "seconds")
    y, ticks = 0.0, {}
    for run, lanes in sections:
        axes.text(0, y + 0.62, _headline(run), fontsize=10, weight="bold", va="center", color=INK)
        y += 1
        strips = any(_strips(lane, last) for lane in lanes)
        for lane in lanes:
            _draw_lane(axes, lane, y, last, strips)
            ticks[y + 0.5] = lane.name
            y += 1
    name_rows(axes, ticks, y)
    axes.set(xlim=(0, last * 1.02))
    return finish(figure, "\n".join([*filter(None, [title]), *(_in_words(run, lanes) for run, lanes in sections)]))


def _strips(lane: Lane, last: float) -> list[Bar]:
    """The waits that are long enough to be seen."""
    return [bar for bar in lane.waiting if bar.end_or(last) - bar.begin > 0.05 * last]


def _draw_lane(axes: "Axes", lane: Lane, y: float, last: float, strips: bool) -> None:
    """One lane, a unit high, its top at `y`; with `strips` it leaves room for them above the bars."""
    shown = _strips(lane, last)
    for number, bar in enumerate(shown):  # one thin strip for each task that waits
        height = min(0.12, 0.3 / len(shown))
        end = bar.end_or(last)
        axes.broken_barh([(bar.begin, end - bar.begin)], (y + 0.02 + number * height, height * 0.62), color=WAITING)
    top = y + (0.34 if strips else 0.1)
    for bar in lane.running:
        end = bar.end_or(last)
        alarm = bar.state in ALARM
        draw_bar(axes, bar.begin, end, (top, y + 0.94 - top), alarm=alarm, linewidth=1)
        if end - bar.begin > 0.07 * last:
            axes.text(
                (bar.begin + end) / 2, (top + y + 0.96) / 2, bar.label, ha="center", va="center", fontsize=8,
                color="white", clip_on=True,
                bbox={"fc": FAILED if alarm else RUNNING, "ec": "none", "pad": 1},
            )  # fmt: skip


# Words


def _last_moment(run: Run, lanes: Sequence[Lane]) -> float:
    ends = [bar.end or bar.begin for lane in lanes for bar in lane.running + lane.waiting]
    return max([run.took or 0.0, 0.1, *ends])


def _headline(run: Run) -> str:
    return f"{run.title}: {run.took:.2f} s" if run.took is not None else run.title


def _in_words(run: Run, lanes: Iterable[Lane]) -> str:
    """What the lanes show that is the same in every run: how many lanes, and how many bars of which kind."""
    lanes = list(lanes)
    bars = [bar for lane in lanes for bar in lane.running]
    failed = sum(bar.state in ALARM for bar in bars)
    kinds = f"{len(bars)} bar{'s' * (len(bars) != 1)}" + (f", {failed} of them failed" if failed else "")
    # How many threads a process needed is a matter of moments: its slots count as one.
    count = len({lane.process or lane.name for lane in lanes})
    return f"{run.title}: {kinds}, in {count} lane{'s' * (count != 1)}"
