"""Rows of a chart, from the top down: their names at the left, and in them bars of time."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .style import FAILED, HATCH, RUNNING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAST_WIDTH = 0.004  # minimum bar width, as a share of the axis


def name_rows(axes: "Axes", names: Mapping[float, str], height: float) -> None:
    """Rows from the top down, `height` units in all, with their names at the left."""
    axes.set_ylim(height + 0.1, 0)
    axes.set_yticks(list(names), list(names.values()), parse_math=False)  # a $ in a name is a $
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")


def draw_bar(
    axes: "Axes",
    start: float,
    end: float,
    place: tuple[float, float],
    *,
    alarm: bool,
    linewidth: float = 0,
    colour: str = RUNNING,
) -> None:
    """A solid bar, its top and height in `place`, and a white line of so many points round it."""
    axes.broken_barh(
        [(start, end - start)],
        place,
        facecolor=FAILED if alarm else colour,
        edgecolor="white",  # of the line, and of the hatching
        linewidth=linewidth,
        hatch=HATCH if alarm else None,
    )
