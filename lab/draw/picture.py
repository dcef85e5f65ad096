"""A picture from its first line to its last: an empty figure to draw in, and the finished PNG with its words."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .style import INK, MODEL

if TYPE_CHECKING:  # matplotlib is slow to import, and not every notebook draws
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_INCHES = 8.0  # at 200 dots an inch and shown at half size, it fits GitHub's column and stays sharp
DOTS_PER_INCH = 200


@dataclass(frozen=True)
class Picture:
    """A finished chart: a PNG, and the words for those who can't see it."""

    png: bytes
    words: str
    size: tuple[int, int]  # pixels as shown, width and height

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        width, height = self.size
        return {"image/png": self.png, "text/plain": self.words}, {"image/png": {"width": width, "height": height}}


def new_axes(height: float, title: str, xlabel: str, *, key: str = "") -> "tuple[Figure, Axes]":
    """A figure with one chart in it; `height` is in inches, and `key` a line under the title, as for `draw_key`."""
    figure = _new_figure(height)
    axes = figure.add_subplot()
    axes.set_title(title, pad=21 if key else None)
    if key:
        draw_key(axes, key)
    axes.set_xlabel(xlabel)
    axes.spines["left"].set_visible(False)
    return figure, axes


def new_panels(
    height: float, title: str, rows: int = 1, columns: int = 1, **options: Any
) -> "tuple[Figure, list[Axes]]":
    """A figure with several charts, row by row; `height` is in inches, `options` are matplotlib's for subplots."""
    figure = _new_figure(height)
    if title:
        figure.suptitle(title, x=0.01, ha="left", color=INK)
    return figure, list(figure.subplots(rows, columns, squeeze=False, **options).flat)


def draw_key(axes: "Axes", words: str, *, above: float = 6) -> None:
    """One line that says what pale, dark and hatched mean, so many points above the chart."""
    axes.annotate(
        words, (0, 1), xytext=(0, above), xycoords="axes fraction", textcoords="offset points", fontsize=9, color=MODEL
    )


def _new_figure(height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH_INCHES, height))


def finish(figure: "Figure", words: str) -> Picture:
    """The figure as a PNG, with its words."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    width, height = (round(inches * DOTS_PER_INCH / 2) for inches in figure.get_size_inches())
    return Picture(file.getvalue(), words, (width, height))
