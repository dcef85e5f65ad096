"""A bar for each named value: one row of them, or several measurements of the same things side by side."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..basics.errors import LabError
from .picture import Picture, finish, new_axes, new_panels
from .style import INK, RUNNING, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@plain
def draw_bars(seconds: Mapping[str, float], *, title: str, unit: str = "seconds") -> Picture:
    """One horizontal bar for each named value, with the value at its end.

    seconds: the values by name, in `unit`
    title:   stands above the picture
    unit:    stands below the axis; values other than seconds have one digit after the point (default "seconds")
    """
    figure, axes = new_axes(0.42 * len(seconds) + 1.1, title, unit)
    names, values = list(seconds), list(seconds.values())
    _draw_column(
        axes, names, values, [f"{value:.2f}" if unit == "seconds" else f"{round(value, 1):g}" for value in values]
    )
    axes.set(xlim=(0, max(values) * 1.12))
    axes.invert_yaxis()
    return finish(figure, f"{title}\nbars, from the top: {', '.join(names)}")


@plain
def draw_panels(panels: Mapping[str, Mapping[str, float]], *, title: str) -> Picture:
    """Several measurements of the same things, side by side: a panel for each, and in it a bar for each thing.

    panels: for each measurement, which names its unit, the values by thing: `{"start, s": {"prefork": 1.2, …}, …}`
    title:  stands above the picture

    Raises `LabError` where the panels do not have the same things in the same order.
    """
    names = list(next(iter(panels.values()), {}))
    if not names or any(list(panel) != names for panel in panels.values()):
        raise LabError("draw_panels takes the same names in each panel: {'start, s': {'prefork': 1.2, …}, …}.")
    figure, places = new_panels(0.36 * len(names) + 1.0, title, columns=len(panels), sharey=True)
    for axes, (what, by_name) in zip(places, panels.items(), strict=True):
        values = list(by_name.values())
        _draw_column(axes, names, values, [_short(value) for value in values])
        axes.set(xlim=(0, max(values) * 1.4), xticks=[])
        axes.set_title(what, fontsize=9)
        axes.spines["bottom"].set_visible(False)
    places[0].invert_yaxis()  # of all: they share it
    said = f"panels, from the left: {'; '.join(panels)}\nbars in each, from the top: {', '.join(names)}"
    return finish(figure, f"{title}\n{said}")


def _short(value: float) -> str:
    """A whole number as it is, another one with as many digits as can be read in a panel."""
    return f"{value:.0f}" if isinstance(value, int) or value >= 20 else f"{value:.2f}"


@plain
def draw_comparison(measured: Mapping[str, Mapping[str, float]], *, title: str) -> Picture:
    """Several ways to do one thing: a row for each way, and a column of bars for each unit.

    measured: for each unit the values by way: `{"kilobytes": {"JSON": 9.9, …}, "seconds": {…}}`
    title:    stands above the picture
    """
    ways = list(next(iter(measured.values())))
    figure, axes = new_axes(0.38 * len(ways) + 1.1, title, "")
    for column, (unit, by_way) in enumerate(measured.items()):
        axes.text(column, -0.85, unit, fontsize=10, weight="bold", color=INK, va="center")
        values = [by_way[way] for way in ways]
        scale = 0.78 / max(values)
        lengths = [value * scale for value in values]
        _draw_column(axes, range(len(ways)), lengths, [f"{value:.2f}" for value in values], left=column)
    axes.set(
        xlim=(0, len(measured)), ylim=(len(ways) - 0.4, -1.1), yticks=range(len(ways)), yticklabels=ways, xticks=[]
    )
    axes.spines["bottom"].set_visible(False)
    said = f"columns, from the left: {'; '.join(measured)}\nbars in each, from the top: {', '.join(ways)}"
    return finish(figure, f"{title}\n{said}")


def _draw_column(
    axes: "Axes", names: Sequence[str] | range, lengths: Sequence[float], words: Sequence[str], left: float = 0
) -> None:
    """A bar for each name, which begins at `left`, and its words behind it."""
    bars = axes.barh(names, lengths, left=left, color=RUNNING, height=0.6)
    axes.bar_label(bars, [f" {each}" for each in words], fontsize=9)
    axes.tick_params(axis="y", length=0)
