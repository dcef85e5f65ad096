"""Histograms, counts over tenths of a second: what a server sees of many calls, and how waits are spread."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..basics.errors import LabError
from ..basics.request import SeenRequest
from .picture import Picture, draw_key, finish, new_panels
from .style import FAILED, HATCH, INK, RUNNING, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BIN_SECONDS = 0.1
Counts = dict[int, tuple[int, int]]  # by number of its tenth of a second: how many are bad, how many good


@plain
def draw_load(groups: Mapping[str, Sequence[SeenRequest]], *, title: str) -> Picture:
    """The requests that arrive in each tenth of a second, a row for each group, all rows on one axis.

    groups: for each name the requests, such as `{"fixed": lab.fb.witness().requests}`
    title:  stands above the picture

    Each group's time begins with its own first arrival. Hatched are the requests that got no good answer.
    Raises `LabError` for a group without requests.
    """
    if not groups or not all(groups.values()):
        raise LabError("draw_load takes requests by name, for example {'fixed': lab.fb.witness().requests}.")
    counts = {}
    for name, requests in groups.items():
        first = min(request.arrival for request in requests)
        counts[name] = _count((request.arrival - first, request.status == 200) for request in requests)
    key = "height: requests in a tenth of a second  ·  hatched: no good answer"
    figure = _draw(counts, title, "seconds since the first request", key)
    failed = {name: sum(request.status != 200 for request in requests) for name, requests in groups.items()}
    words = [
        f"{name}: {len(each)} request{'s' * (len(each) != 1)}, {failed[name]} without a good answer"
        for name, each in groups.items()
    ]
    return finish(figure, "\n".join([title, *words]))


@plain
def draw_spread(groups: Mapping[str, Sequence[float]], *, title: str) -> Picture:
    """How many of each group's waits fall into each tenth of a second.

    groups: for each name the waits in seconds
    title:  stands above the picture

    Raises `LabError` for a group without waits, or for a wait below zero.
    """
    if not groups or not all(waits and min(waits) >= 0 for waits in groups.values()):
        raise LabError("draw_spread takes waits in seconds by name, for example {'fixed': [2, 2]}.")
    counts = {name: _count((wait, True) for wait in waits) for name, waits in groups.items()}
    words = [f"{name}: {len(waits)} waits" for name, waits in groups.items()]
    figure = _draw(counts, title, "seconds to wait", "height: waits in a tenth of a second")
    return finish(figure, "\n".join([title, *words]))


def _count(moments: Iterable[tuple[float, bool]]) -> Counts:
    counts: Counts = {}
    for seconds, is_good in moments:
        tenth = int(seconds / BIN_SECONDS + 1e-9)  # 0.3 / 0.1 is a little less than 3
        bad, good = counts.get(tenth, (0, 0))
        counts[tenth] = (bad, good + 1) if is_good else (bad + 1, good)
    return counts


def _draw(groups: Mapping[str, Counts], title: str, unit: str, key: str) -> "Figure":
    last = max(max(counts) for counts in groups.values()) + 1
    most = max(sum(pair) for counts in groups.values() for pair in counts.values())
    figure, rows = new_panels(0.95 * len(groups) + 1.1, "", rows=len(groups), sharex=True, sharey=True)
    for axes, (name, counts) in zip(rows, groups.items(), strict=True):
        _draw_row(axes, name, counts, most)
    rows[0].set_title(title, pad=24)
    draw_key(rows[0], key, above=9)
    rows[-1].set_xlabel(unit)
    rows[-1].set(
        xlim=(-BIN_SECONDS, max(last * BIN_SECONDS, 1) * 1.04), ylim=(0, most * 1.7)
    )  # room for the name above the bars
    return figure


def _draw_row(axes: "Axes", name: str, counts: Counts, most: int) -> None:
    """One group: its bars, its name, and, where bars differ in height, the number on its highest one."""
    tenths = sorted(counts)
    places = [tenth * BIN_SECONDS for tenth in tenths]
    bad, good = ([counts[tenth][kind] for tenth in tenths] for kind in (0, 1))
    style: dict[str, Any] = {"width": BIN_SECONDS * 0.92, "align": "edge", "linewidth": 0, "edgecolor": "white"}
    axes.bar(places, bad, color=FAILED, hatch=HATCH, **style)
    axes.bar(places, good, bottom=bad, color=RUNNING, **style)
    if most > 1:
        peak = max(tenths, key=lambda tenth: sum(counts[tenth]))
        high = sum(counts[peak])
        axes.text(
            peak * BIN_SECONDS + BIN_SECONDS / 2, high, f"{high}", ha="center", va="bottom", fontsize=9, color=INK
        )
    axes.text(
        0, 1, name, transform=axes.transAxes, ha="left", va="top", fontsize=10, weight="bold", color=INK,
        parse_math=False,
    )  # fmt: skip
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
