"""`lab.draw_xrays`: what was in Redis at several moments, side by side."""

from typing import TYPE_CHECKING

from ..basics.text import shorten
from ..record.labels import UUID
from ..record.xray import XRay
from .boxes import draw_frame
from .picture import Picture, finish, new_axes
from .style import ALARM, FAILED, GRID, INK, MODEL, RUNNING, WAITING, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_BOXES = 8  # of one place that a picture has room for
LABEL_CHARACTERS = 24  # that fit into a box


@plain
def draw_xrays(moments: dict[str, XRay], *, title: str) -> Picture:
    """The same Redis at several moments, side by side: what waits, what is taken, which results are there.

    moments: for each name of a moment what `lab.xray()` gave then
    title:   stands above the picture
    """
    rows = _rows(moments)
    heights = {row: max([1, *(len(_boxes(xray, row)) for xray in moments.values())]) for row in rows}
    figure, axes = new_axes(0.26 * (sum(heights.values()) + 0.35 * len(rows)) + 0.9, title, "")
    axes.axis("off")
    axes.set_title(title, pad=24)
    y = 0.0
    for row in rows:
        middle = y + heights[row] / 2
        axes.text(-0.04, middle - 0.26, row, ha="right", va="center", fontsize=9, color=INK)
        axes.text(-0.04, middle + 0.36, _meaning(row), ha="right", va="center", fontsize=8, color=MODEL)
        for column, xray in enumerate(moments.values()):
            boxes = _boxes(xray, row)
            for number, (text, colours) in enumerate(boxes):
                _draw_box(axes, column, y + number, text, *colours)
            if not boxes:
                axes.text(column + 0.47, y + 0.52, "–", ha="center", va="center", fontsize=9, color=MODEL)
        y += heights[row] + 0.35
        axes.axhline(y - 0.17, color=GRID, linewidth=0.8)
    for column, name in enumerate(moments):
        axes.text(column + 0.47, -0.35, name, ha="center", va="bottom", fontsize=10, weight="bold", color=INK)
    axes.set(xlim=(0, len(moments)), ylim=(y, -0.5))
    said = [f"{name}: {'; '.join(_in_words(xray, row) for row in rows)}" for name, xray in moments.items()]
    return finish(figure, "\n".join([title, *said]))


def _rows(moments: dict[str, XRay]) -> list[str]:
    names = dict.fromkeys(name for xray in moments.values() for name in xray.queues)
    return [*(f"queue {name}" for name in names), "unacked", "results"]


def _meaning(row: str) -> str:
    """What the boxes of a row have in common."""
    return {"unacked": "taken, not acknowledged", "results": "stored states"}.get(row, "waits")


def _in_words(xray: XRay, row: str) -> str:
    """What lies in one place: how many, and their names."""
    if row == "results":
        names = [f"{id} {state}" for id, state in xray.results.items()]
    else:
        names = xray.unacked if row == "unacked" else xray.queues.get(row.removeprefix("queue "), [])
    return f"{len(names)} in {row} ({', '.join(names)})" if names else f"none in {row}"


def _boxes(xray: XRay, row: str) -> list[tuple[str, tuple[str, str]]]:
    """Text and colours (face, ink) of each box in one row: pale waits, dark is taken, white is stored."""
    if row == "results":
        boxes = [
            (f"{id[:8] + '…' if UUID.fullmatch(id) else id}: {state}", (FAILED if state in ALARM else "white", INK))
            for id, state in xray.results.items()
        ]
    elif row == "unacked":
        boxes = [(text, (RUNNING, "white")) for text in xray.unacked]
    else:
        boxes = [(text, (WAITING, INK)) for text in xray.queues.get(row.removeprefix("queue "), [])]
    hidden = len(boxes) - MOST_BOXES
    return boxes if hidden <= 0 else [*boxes[: MOST_BOXES - 1], (f"… and {hidden + 1} more", ("white", INK))]


def _draw_box(axes: "Axes", column: int, y: float, text: str, face: str, ink: str) -> None:
    draw_frame(
        axes, (column + 0.05, y + 0.1), (0.84, 0.8), face, edge=INK, linewidth=0.6, rounding=0.03, aspect=8
    )  # fmt: skip
    axes.text(
        column + 0.47,
        y + 0.52,
        shorten(text, LABEL_CHARACTERS),
        ha="center",
        va="center",
        fontsize=8,
        color=ink,
    )
