"""`lab.draw_storm`: who ran what, every kill, and the orders that were charged in spite of it."""

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from ..draw.pack import pack
from ..draw.picture import Picture, draw_key, finish, new_panels
from ..draw.style import FAILED, INK, MODEL, RUNNING, WAITING, plain
from . import orders
from .plan import PROCESS, REDIS, WORKER
from .storm import Storm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW_UNITS = 1.5  # between the tops of two lanes, of which the lane itself takes one
KEY = (
    "pale: up or starting  ·  blue: runs a task  ·  black: runs it again  ·  orange: killed while it ran  ·  ✗: a kill"
)
SIGNS = {WORKER: "X", PROCESS: "x", REDIS: "X"}


@plain
def draw_storm(storm: Storm, *, title: str) -> Picture:
    """Lanes of the workers and of Redis with every kill marked; below them the orders sent and charged so far.

    storm: as `with lab.storm(…) as storm:` gave it, when its block is over
    title: stands above the picture
    """
    runs, sent, charged = _read(storm)
    last = max([storm.calm - storm.began, *charged]) + 0.3
    count = len(storm.slots)
    heights = [0.46 * (count + 2), 1.9]
    figure, (lanes, sums) = new_panels(sum(heights) + 0.9, "", rows=2, sharex=True, height_ratios=heights)
    lanes.set_title(title, pad=21)
    draw_key(lanes, KEY)
    names = {}
    for number, slot in enumerate(storm.slots):
        top = number * ROW_UNITS
        names[top + 0.5] = f"worker {number + 1}"
        ups = [(begin - storm.began, end - begin) for begin, end in slot.ups if end]
        lanes.broken_barh(ups, (top, 1), color=WAITING)
        _draw_runs(lanes, [run for run in runs if run.worker == number], top)
    top = count * ROW_UNITS
    names[top + 0.5] = "Redis"
    _draw_up(lanes, storm, top, last)
    _mark_kills(lanes, storm, count)
    top += ROW_UNITS
    names[top + 0.5] = "sent again"
    lanes.vlines([at - storm.began for at, _ in storm.eye.again], top + 0.1, top + 0.9, color=INK, linewidth=0.8)
    lanes.set_ylim(top + 1.2, -0.6)
    lanes.set_yticks(list(names), list(names.values()))
    lanes.tick_params(axis="both", length=0)
    for name, times, colour in ("ordered", sent, MODEL), ("charged", charged, RUNNING):
        sums.step([0, *times], [0, *accumulate(1 for _ in times)], where="post", color=colour, linewidth=1.6)
        middle = len(times) // 2
        if times:
            side: dict[str, Any] = {"ha": "right", "va": "bottom"} if name == "ordered" else {"ha": "left", "va": "top"}
            sums.annotate(
                name, (times[middle], middle), xytext=(-6 if name == "ordered" else 8, 0), textcoords="offset points",
                fontsize=9, color=colour, **side,
            )  # fmt: skip
    sums.set(xlim=(0, last), xlabel="seconds", ylabel="orders")
    sums.grid()
    for axes in (lanes, sums):
        axes.spines["left"].set_visible(False)
    lanes.spines["bottom"].set_visible(False)
    words = (
        f"lanes: {', '.join(names.values())}; {len(storm.killed)} kills marked; orders sent and charged: {len(charged)}"
    )
    return finish(figure, f"{title}\n{words}")


@dataclass(frozen=True)
class _Run:
    """One run of the task. Moments are seconds since the storm began; None: the process was killed."""

    worker: int
    start: float
    end: float | None
    again: bool  # an earlier run of the same order had begun

    @property
    def shown_end(self) -> float:
        return self.end or self.start + 0.1  # what never ended is short


def _read(storm: Storm) -> tuple[list[_Run], list[float], list[float]]:
    """The runs, and when orders were sent and charged, in seconds since the storm began."""
    history, *moments = orders.history()
    seen: set[str] = set()
    runs = []
    for run in history:
        end = run.ended and run.ended - storm.began
        runs.append(_Run(storm.nodes[run.node], run.started - storm.began, end, run.order in seen))
        seen.add(run.order)
    sent, charged = ([at - storm.began for at in each] for each in moments)
    return runs, sent, charged


def _draw_runs(axes: "Axes", runs: list[_Run], top: float) -> None:
    """One thin bar for each run, side by side in time as in a worker's processes."""
    rows = pack(runs, lambda last, run: last.shown_end <= run.start)
    height = 1 / max(len(rows), 1)
    placed = sorted(((run, number) for number, row in enumerate(rows) for run in row), key=lambda each: each[0].start)
    for run, number in placed:
        colour = FAILED if run.end is None else INK if run.again else RUNNING
        place = (top + number * height, height * 0.86)
        axes.broken_barh([(run.start, run.shown_end - run.start)], place, color=colour, linewidth=0)


def _draw_up(axes: "Axes", storm: Storm, top: float, last: float) -> None:
    begin = 0.0
    for down, up in [*storm.redis_down, (storm.began + last, storm.began + last)]:
        axes.broken_barh([(begin, down - storm.began - begin)], (top, 1), color=WAITING)
        begin = up - storm.began


def _mark_kills(axes: "Axes", storm: Storm, count: int) -> None:
    for at, kill in storm.killed:
        y = (count if kill.what == REDIS else kill.worker) * ROW_UNITS - 0.22
        axes.plot(
            at - storm.began, y, SIGNS[kill.what], color=FAILED, clip_on=False,
            markersize=9 if kill.what != PROCESS else 6, markeredgecolor="white" if kill.what != PROCESS else FAILED,
        )  # fmt: skip
