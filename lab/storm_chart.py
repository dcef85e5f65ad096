"""The picture of a storm: who ran what, every kill, and the orders that were charged in spite of it."""

from itertools import accumulate
from typing import Any

from .charts import FAILED, INK, MODEL, RUNNING, WAITING, WIDTH, Picture, finish
from .storm import PROCESS, REDIS, WORKER, Storm
from .style import plain

ROW = 1.5  # units between the tops of two lanes, of which the lane itself takes one
SIGNS = {WORKER: "X", PROCESS: "x", REDIS: "X"}


@plain
def draw_storm(storm: Storm, *, title: str) -> Picture:
    """Lanes of the workers and of Redis with every kill marked; below them the orders sent and charged so far."""
    from matplotlib.figure import Figure

    runs, sent, charged = _read(storm)
    last = max([storm.calm - storm.began, *charged]) + 0.3
    count = len(storm.slots)
    figure = Figure(figsize=(WIDTH, 0.46 * (count + 2) + 2.6), layout="constrained", facecolor="white")
    lanes, sums = figure.subplots(2, sharex=True, height_ratios=[0.46 * (count + 2), 1.9])
    lanes.set_title(title, loc="left", fontsize=12, color=INK)
    names = {}
    for number, slot in enumerate(storm.slots):
        top = number * ROW
        names[top + 0.5] = f"worker {number + 1}"
        ups = [(begin - storm.began, end - begin) for begin, end in slot.ups if end]
        lanes.broken_barh(ups, (top, 1), color=WAITING)
        _draw_runs(lanes, [run for run in runs if run[0] == number], top, last)
    top = count * ROW
    names[top + 0.5] = "Redis"
    _draw_up(lanes, storm, top, last)
    _mark_kills(lanes, storm, count)
    top += ROW
    names[top + 0.5] = "sent again"
    lanes.vlines([at - storm.began for at in storm.resent], top + 0.1, top + 0.9, color=INK, linewidth=0.8)
    lanes.set_ylim(top + 1.2, -0.6)
    lanes.set_yticks(list(names), list(names.values()))
    lanes.tick_params(axis="both", length=0)
    for name, times, colour in ("sent", sent, MODEL), ("charged", charged, RUNNING):
        sums.step([0, *times], [0, *accumulate(1 for _ in times)], where="post", color=colour, linewidth=1.6)
        middle = len(times) // 2
        if times:
            side = {"ha": "right", "va": "bottom"} if name == "sent" else {"ha": "left", "va": "top"}
            sums.annotate(
                name, (times[middle], middle), xytext=(-6 if name == "sent" else 8, 0), textcoords="offset points",
                fontsize=9, color=colour, **side,
            )  # fmt: skip
    sums.set(xlim=(0, last), xlabel="seconds", ylabel="orders")
    sums.grid(color="#DDDDDD", linewidth=0.6)
    for axes in (lanes, sums):
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.set_axisbelow(True)
    lanes.spines["bottom"].set_visible(False)
    words = (
        f"lanes: {', '.join(names.values())}; {len(storm.killed)} kills marked; orders sent and charged: {len(charged)}"
    )
    return finish(figure, f"{title}\n{words}")


def _read(storm: Storm) -> tuple[list[tuple[int, float, float | None, bool]], list[float], list[float]]:
    """Runs (worker, begin, end, whether an earlier one had begun), and when orders were sent and charged."""
    from shop import database

    with database() as db:
        runs = db.execute("SELECT key, node, started, finished FROM runs ORDER BY started").fetchall()
        sent = [at - storm.began for (at,) in db.execute("SELECT created FROM outbox ORDER BY created")]
        charged = [at - storm.began for (at,) in db.execute("SELECT at FROM charges ORDER BY at")]
    seen: set[str] = set()
    found = []
    for key, node, begin, end in runs:
        found.append((storm.nodes[node], begin - storm.began, end and end - storm.began, key in seen))
        seen.add(key)
    return found, sent, charged


def _draw_runs(axes: Any, runs: list[tuple[int, float, float | None, bool]], top: float, last: float) -> None:
    """One thin bar for each run, side by side in time as in a worker's processes; what never ended is short."""
    rows: list[float] = []
    placed = []
    for _, begin, end, again in runs:
        row = next((row for row, free in enumerate(rows) if free <= begin), len(rows))
        rows[row : row + 1] = [end or begin + 0.1]
        placed.append((row, begin, end, again))
    height = 1 / max(len(rows), 1)
    for row, begin, end, again in placed:
        colour = FAILED if end is None else INK if again else RUNNING
        length = (end - begin) if end else 0.1
        axes.broken_barh([(begin, length)], (top + row * height, height * 0.86), color=colour, linewidth=0)


def _draw_up(axes: Any, storm: Storm, top: float, last: float) -> None:
    begin = 0.0
    for down, up in [*storm.redis_down, (storm.began + last, storm.began + last)]:
        axes.broken_barh([(begin, down - storm.began - begin)], (top, 1), color=WAITING)
        begin = up - storm.began


def _mark_kills(axes: Any, storm: Storm, count: int) -> None:
    for at, kill in storm.killed:
        y = (count if kill.what == REDIS else kill.worker) * ROW - 0.22
        axes.plot(
            at - storm.began, y, SIGNS[kill.what], color=FAILED, clip_on=False,
            markersize=9 if kill.what != PROCESS else 6, markeredgecolor="white" if kill.what != PROCESS else FAILED,
        )  # fmt: skip
