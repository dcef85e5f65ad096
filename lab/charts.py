"""Pictures of what was measured, all in one visual language.

Time runs left to right. A lane is a process, a bar is a task: pale while it waits in the queue, solid while it
runs, vermilion and hatched when it failed. The colours hold for colour-blind readers and in grey print.
"""

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import LabError
from .recorder import Attempt, Run, Task
from .style import plain

RUNNING, WAITING, FAILED, MODEL, INK = "#0B5A8A", "#BBD7E8", "#D55E00", "#777777", "#222222"
ALARM = {"FAILURE", "REJECTED", "REVOKED", "RETRY"}
WIDTH = 8.0  # inches; at 200 dots an inch and shown at half size, it fits GitHub's column and stays sharp
DPI = 200
OVERLAP = 0.05  # seconds; by so much two events of one process may be out of order
HAIR = 0.004  # of the axis: as wide is a bar that would else be too short to be seen


@dataclass(frozen=True)
class Picture:
    """A finished chart: a PNG, and the words for those who can't see it."""

    png: bytes
    words: str
    size: tuple[int, int]  # pixels as shown, width and height

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        width, height = self.size
        return {"image/png": self.png, "text/plain": self.words}, {"image/png": {"width": width, "height": height}}


@dataclass(frozen=True)
class Bar:
    """A stretch of time in a lane, in seconds since the begin of its run. `end` is None while it goes on."""

    begin: float
    end: float | None
    label: str
    state: str


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
    rows: list[list[tuple[Task, int, Attempt]]] = []
    for each in attempts:
        ended = (row for row in rows if (row[-1][2].finished or math.inf) < each[2].started + OVERLAP)
        row = next(ended, None)
        if row is None:
            rows.append(row := [])
        row.append(each)
    return rows or [[]]


def _queued(task: Task, attempt: int) -> float:
    """Since when the task waited for this attempt."""
    before: Attempt | None = task.attempts[attempt - 1] if attempt else None
    return (before.finished or before.started) if before else task.sent


def _bar(run: Run, begin: float, end: float | None, label: str, state: str) -> Bar:
    return Bar(begin - run.started, None if end is None else end - run.started, label, state)


def _request_lanes(run: Run) -> list[Lane]:
    """The notebook's own calls as the server saw them; calls in flight at once take a lane each."""
    rows: list[list[Bar]] = []
    for request in sorted(run.requests, key=lambda r: r.arrival):
        state = "STARTED" if request.status is None else "SUCCESS" if request.status == 200 else "FAILURE"
        bar = _bar(run, request.arrival, request.end, request.edge, state)
        free = (row for row in rows if row[-1].end is not None and row[-1].end <= bar.begin)
        row = next(free, None)
        if row is None:
            rows.append(row := [])
        row.append(bar)
    names = ["this notebook"] if len(rows) == 1 else [f"thread {n}" for n in range(1, len(rows) + 1)]
    return [Lane(name, row, []) for name, row in zip(names, rows, strict=True)]


# Charts


@plain
def draw_lanes(*runs: Run, title: str = "") -> Picture:
    """The lanes of one run or several, one below the other on one axis of seconds, each under its own title."""
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
    _name_rows(axes, ticks, y)
    axes.set(xlim=(0, last * 1.02))
    return finish(figure, "\n".join([*filter(None, [title]), *(_in_words(run, lanes) for run, lanes in sections)]))


def _strips(lane: Lane, last: float) -> list[Bar]:
    """The waits that are long enough to be seen."""
    return [bar for bar in lane.waiting if (last if bar.end is None else bar.end) - bar.begin > 0.05 * last]


def _draw_lane(axes: Any, lane: Lane, y: float, last: float, strips: bool) -> None:
    """One lane, a unit high, its top at `y`; with `strips` it leaves room for them above the bars."""
    shown = _strips(lane, last)
    for number, bar in enumerate(shown):  # one thin strip for each task that waits
        height = min(0.12, 0.3 / len(shown))
        end = last if bar.end is None else bar.end
        axes.broken_barh([(bar.begin, end - bar.begin)], (y + 0.02 + number * height, height * 0.62), color=WAITING)
    top = y + (0.34 if strips else 0.1)
    for bar in lane.running:
        end = last if bar.end is None else bar.end
        alarm = bar.state in ALARM
        _draw_solid(axes, bar.begin, end, (top, y + 0.94 - top), alarm, linewidth=1)
        if end - bar.begin > 0.07 * last:
            axes.text(
                (bar.begin + end) / 2, (top + y + 0.96) / 2, bar.label, ha="center", va="center", fontsize=8,
                color="white", clip_on=True,
                bbox={"fc": FAILED if alarm else RUNNING, "ec": "none", "pad": 1},
            )  # fmt: skip


def _draw_solid(
    axes: Any, begin: float, end: float, place: tuple[float, float], alarm: bool, *, linewidth: float = 0
) -> None:
    """A bar, its top and height in `place`, and a white line of so many points round it."""
    axes.broken_barh(
        [(begin, end - begin)],
        place,
        facecolor=FAILED if alarm else RUNNING,
        edgecolor="white",  # of the line, and of the hatching
        linewidth=linewidth,
        hatch="////" if alarm else None,
    )


@plain
def draw_visits(lanes: Sequence[Lane], *, title: str) -> Picture:
    """A lane for each visitor of a web site: pale until the site begins with them, solid while it handles them."""
    last = max([1.0, *(bar.end for lane in lanes for bar in lane.running)])  # milliseconds shall look short
    figure, axes = new_axes(0.26 * len(lanes) + 1.0, title, "seconds")
    for y, lane in enumerate(lanes):
        for bar in lane.waiting:
            axes.broken_barh([(bar.begin, bar.end - bar.begin)], (y + 0.12, 0.76), color=WAITING)
        for bar in lane.running:
            alarm = bar.state in ALARM
            end = max(bar.end, bar.begin + HAIR * last * (4 if alarm else 1))  # wide enough to see the hatching, too
            _draw_solid(axes, bar.begin, end, (y + 0.12, 0.76), alarm)
            axes.text(end, y + 0.48, f" {bar.label}", va="center", fontsize=9, color=INK)
    _name_rows(axes, {y + 0.5: lane.name for y, lane in enumerate(lanes)}, len(lanes))
    axes.set(xlim=(0, last * 1.14))
    failed = sum(bar.state in ALARM for lane in lanes for bar in lane.running)
    kinds = f"{len(lanes)} visitor{'s' * (len(lanes) != 1)}" + (f", {failed} of them without success" if failed else "")
    return finish(figure, f"{title}\n{kinds}")


@plain
def draw_waits(groups: Mapping[str, Sequence[float]], *, title: str) -> Picture:
    """The seconds that each of several groups waited: a bar for each wait, sorted, all groups on one axis."""
    last = max([0.0, *(wait for waits in groups.values() for wait in waits)])
    if not last:
        raise LabError("draw_waits takes seconds by name, for example {'mail in the request': visits.waits}.")
    rows = sum(len(waits) + 1.6 for waits in groups.values())
    figure, axes = new_axes(0.2 * rows + 0.9, title, "seconds")
    y = 0.0
    for name, waits in groups.items():
        axes.text(0, y + 0.7, name, fontsize=10, weight="bold", va="center", color=INK)
        y += 1.3
        for wait in sorted(waits):
            end = max(wait, HAIR * last)
            _draw_solid(axes, 0, end, (y + 0.12, 0.76), alarm=False)
            axes.text(end, y + 0.48, f" {in_seconds(wait)}", va="center", fontsize=8, color=INK)
            y += 1
        y += 0.3
    _name_rows(axes, {}, y)
    axes.set(xlim=(0, last * 1.12))
    counts = ", ".join(f"{name} ({len(waits)})" for name, waits in groups.items())
    return finish(figure, f"{title}\nbars, from the top: {counts}")


def _name_rows(axes: Any, names: Mapping[float, str], height: float) -> None:
    """Rows from the top down, `height` units in all, with their names at the left."""
    axes.set_ylim(height + 0.1, 0)
    axes.set_yticks(list(names), list(names.values()), parse_math=False)  # a $ in a name is a $
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.6)


def in_seconds(wait: float) -> str:
    """A wait in words; short ones have the digits that tell them from nothing."""
    return f"{wait:.2f} s" if wait >= 0.1 else f"{wait:.3f} s"


@plain
def draw_staircase(measured: Mapping[int, float], predicted: Mapping[int, float], *, title: str) -> Picture:
    """Seconds over the number of processes: the model as a line of steps, the measurements as dots."""
    figure, axes = new_axes(3.6, title, "processes")
    counts = sorted(measured)
    every = range(counts[0], counts[-1] + 1)
    axes.step(every, [predicted[n] for n in every], where="mid", color=MODEL, linewidth=1.5)
    axes.text(counts[0] + 0.6, predicted[counts[0]] * 0.97, "predicted", color=MODEL, fontsize=9, va="top")
    axes.plot(counts, [measured[n] for n in counts], "o", color=RUNNING, markersize=7)
    for n in counts:
        axes.annotate(
            f"{measured[n]:.2f} s", (n, measured[n]), xytext=(0, 8), textcoords="offset points", ha="center",
            fontsize=9, color=RUNNING,
        )  # fmt: skip
    axes.set(xticks=list(every), ylim=(0, max(measured.values()) * 1.15), ylabel="seconds")
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    words = ", ".join(f"{n}: {predicted[n]:g} s" for n in counts)
    return finish(figure, f"{title}\nprocesses and the seconds predicted: {words}")


@plain
def draw_bars(seconds: Mapping[str, float], *, title: str, unit: str = "seconds") -> Picture:
    """One horizontal bar for each named value, with the value at its end."""
    figure, axes = new_axes(0.42 * len(seconds) + 1.1, title, unit)
    names, values = list(seconds), list(seconds.values())
    axes.barh(names, values, color=RUNNING, height=0.6)
    for row, value in enumerate(values):
        axes.text(
            value, row, f" {value:.2f}" if unit == "seconds" else f" {round(value, 1):g}", va="center", fontsize=9
        )
    axes.set(xlim=(0, max(values) * 1.12))
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    return finish(figure, f"{title}\nbars, from the top: {', '.join(names)}")


@plain
def draw_panels(panels: Mapping[str, Mapping[str, float]], *, title: str) -> Picture:
    """Several measurements of the same things, side by side: a panel for each, and in it a bar for each thing."""
    names = list(next(iter(panels.values()), {}))
    if not names or any(list(panel) != names for panel in panels.values()):
        raise LabError("draw_panels takes the same names in each panel: {'start, s': {'prefork': 1.2, …}, …}.")
    figure, _ = new_axes(0.36 * len(names) + 1.0, "", "")
    figure.clear()
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, color=INK)
    for axes, (what, values) in zip(_row(figure, len(panels), sharey=True), panels.items(), strict=True):
        axes.barh(names, values.values(), color=RUNNING, height=0.6)
        for row, value in enumerate(values.values()):
            axes.text(value, row, f" {value:.0f}" if value >= 20 else f" {value:.2f}", va="center", fontsize=9)
        axes.set(xlim=(0, max(values.values()) * 1.4), xticks=[])
        axes.set_title(what, loc="left", fontsize=9, color=INK)
        axes.spines[["top", "right", "bottom"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()  # of all: they share it
    return finish(
        figure, f"{title}\npanels, from the left: {', '.join(panels)}; bars, from the top: {', '.join(names)}"
    )


def _row(figure: Any, count: int, **options: Any) -> Any:
    return figure.subplots(1, count, squeeze=False, **options)[0]


@plain
def draw_curves(
    curves: Mapping[str, tuple[Mapping[int, float], Mapping[int, float]]],
    *,
    title: str,
    xlabel: str = "processes",
    ylabel: str = "seconds",
) -> Picture:
    """Seconds over a number of processes, a panel for each load: what was measured as dots, what a model says as steps.

    `curves` has for each load the seconds measured and those predicted, by the number of processes.
    """
    figure, _ = new_axes(3.4, "", "")
    figure.clear()
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, color=INK)
    for axes, (what, (measured, predicted)) in zip(_row(figure, len(curves)), curves.items(), strict=True):
        axes.step(list(predicted), list(predicted.values()), where="mid", color=MODEL, linewidth=1.5)
        axes.plot(list(measured), list(measured.values()), "o", color=RUNNING, markersize=6)
        for n, seconds in measured.items():
            shown = f"{seconds:.2f}" if isinstance(seconds, float) else f"{seconds}"
            axes.annotate(
                shown, (n, seconds), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=9,
                color=RUNNING,
            )  # fmt: skip
        axes.set(ylim=(0, max(*measured.values(), *predicted.values()) * 1.2), xticks=list(measured), xlabel=xlabel)
        axes.set_title(what, loc="left", fontsize=10, weight="bold", color=INK)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
        axes.tick_params(axis="y", length=0)
    figure.axes[0].set_ylabel(ylabel)
    said = [f"{what}: dots at {', '.join(str(n) for n in measured)}" for what, (measured, _) in curves.items()]
    return finish(figure, "\n".join([title, *said]))


@plain
def draw_scaling(
    ways: Mapping[str, tuple[Mapping[int, float], Mapping[int, float]]], *, title: str, xlabel: str, limit: float = 0
) -> Picture:
    """Seconds over a number, both in powers of ten: dots for what was measured, a line for what a model says.

    `ways` has for each way the seconds measured and those predicted, by the number; the last one stands out. `limit`
    is a number of seconds that no way can beat (0: none).
    """
    figure, axes = new_axes(4.8, title, f"{xlabel} (powers of ten)")
    axes.set(xscale="log", yscale="log", ylabel="seconds (powers of ten)")
    ends, best = {}, list(ways)[-1]
    first, last = (pick(pick(predicted) for _, predicted in ways.values()) for pick in (min, max))
    for name, (measured, predicted) in ways.items():
        style = {"color": RUNNING, "linewidth": 2} if name == best else {"color": MODEL, "linewidth": 1}
        axes.plot(list(predicted), list(predicted.values()), **style)
        axes.plot(list(measured), list(measured.values()), "o", color=RUNNING, markersize=6, zorder=3)
        ends[name] = list(predicted.values())[-1]
    values = [seconds for pair in ways.values() for each in pair for seconds in each.values()]
    if limit:
        axes.plot([first, last], [limit, limit], color=FAILED, linewidth=1, linestyle="--", zorder=2)
        ends["the limit"] = limit / 1.15
    low, high = min([*values, *ends.values()]) / 1.3, max(values) * 1.4
    _name_ends(axes, ends, last * 1.08, (high / low) ** 0.045, best)
    axes.set(xlim=(first * 0.85, last * (last / first) ** 0.25), ylim=(low, high))
    ticks = [10**power for power in range(6) if 10**power <= last]
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    steps = [mantissa * 10**power for power in range(-4, 6) for mantissa in ((1, 2, 5) if high / low < 100 else (1, 2))]
    shown = [step for step in steps if low <= step <= high]
    axes.set_yticks(shown, [f"{step:,g}" for step in shown])
    axes.minorticks_off()
    axes.grid(color="#DDDDDD", linewidth=0.6)
    said = [f"{name}: dots at {', '.join(str(n) for n in measured)}" for name, (measured, _) in ways.items()]
    return finish(figure, "\n".join([title, *said]))


def _name_ends(axes: Any, ends: Mapping[str, float], x: float, line: float, best: str) -> None:
    """The names of lines at their ends, each at least a line of text (a factor) above the one before."""
    place = 0.0
    for name in sorted(ends, key=lambda name: ends[name]):
        place = max(ends[name], place * line)
        colour, weight = {best: (RUNNING, "bold"), "the limit": (FAILED, "normal")}.get(name, (INK, "normal"))
        axes.text(x, place, name, fontsize=9, va="center", color=colour, weight=weight, parse_math=False)


def new_axes(height: float, title: str, xlabel: str) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=12, color=INK)
    axes.set_xlabel(xlabel)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_axisbelow(True)
    return figure, axes


def finish(figure: Any, words: str) -> Picture:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
    width, height = (round(inches * DPI / 2) for inches in figure.get_size_inches())
    return Picture(file.getvalue(), words, (width, height))


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
