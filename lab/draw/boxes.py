"""Boxes and arrows, of which diagrams are made."""

from typing import TYPE_CHECKING

from .style import INK, RUNNING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Point = tuple[float, float]


def draw_frame(
    axes: "Axes",
    corner: Point,
    size: Point,
    colour: str,
    *,
    edge: str = RUNNING,
    linewidth: float = 1.2,
    rounding: float = 0.15,
    aspect: float = 1,
) -> None:
    """A box with round corners; its lower left corner is at `corner`, in the units of the axes.

    `linewidth` is in points, `rounding` in units; `aspect` is how much longer a unit is from left to right.
    """
    from matplotlib.patches import FancyBboxPatch

    axes.add_patch(
        FancyBboxPatch(
            corner, *size, boxstyle=f"round,pad=0,rounding_size={rounding}", mutation_aspect=aspect,
            facecolor=colour, edgecolor=edge, linewidth=linewidth,
        )
    )  # fmt: skip


def draw_box(axes: "Axes", corner: Point, size: Point, text: str, colour: str, ink: str = INK) -> None:
    """A box of this size, with a text in its middle."""
    draw_frame(axes, corner, size, colour, edge=INK, linewidth=0.8, rounding=0.25)
    (x, y), (width, height) = corner, size
    axes.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=9.5, color=ink)


def draw_arrow(axes: "Axes", start: Point, end: Point) -> None:
    """An arrow whose ends are exactly at `start` and `end`, such as the edges of two boxes."""
    style = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.4, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=style)
