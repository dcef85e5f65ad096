"""The picture of a worker from the inside: who takes a message, who runs it, who stores the result."""

from typing import Any

from .charts import INK, RUNNING, WAITING, Picture, finish, new_axes
from .style import plain


@plain
def draw_worker() -> Picture:
    """The way of one message through a worker with processes and early acknowledgement, Celery's defaults."""
    title = "One message on its way through a worker"
    figure, axes = new_axes(3.4, title, "")
    axes.set(xlim=(0, 18), ylim=(0.2, 7))
    axes.axis("off")
    _box(axes, (6.1, 0.3), (11.8, 6.6), "", "#F4F4F4")
    axes.text(6.4, 0.6, "worker", fontsize=9.5, color=INK, style="italic")
    _box(axes, (0.1, 3.5), (3.0, 2.9), "Redis\n\nqueue,\nunacked", WAITING)
    _box(axes, (0.1, 0.8), (3.0, 1.7), "Redis\n\nresults", WAITING)
    _box(axes, (6.6, 3.2), (3.4, 3.4), "parent\n\ntakes messages,\nnever runs a task", "white")
    _box(axes, (14.2, 0.5), (3.4, 6.0), "", RUNNING)
    _box(axes, (13.9, 0.8), (3.4, 6.0), "child\n\nruns one task\nat a time,\nknows no queue", RUNNING, "white")
    _arrow(axes, (3.2, 5.9), (6.5, 5.9), "1  take")
    _arrow(axes, (10.1, 5.9), (13.8, 5.9), "2  hand over")
    _arrow(axes, (13.8, 4.9), (10.1, 4.9), "3  begun")
    _arrow(axes, (6.5, 3.9), (3.2, 3.9), "4  acknowledge")
    _arrow(axes, (13.8, 2.1), (3.2, 2.1), "5  STARTED")
    _arrow(axes, (13.8, 1.2), (3.2, 1.2), "6  the result")
    _arrow(axes, (13.8, 3.6), (10.1, 3.6), "7  done")
    words = (
        "the parent takes a message from the queue and hands it to a child; the child says that it has begun, and the "
        "parent acknowledges the message; the child stores STARTED and the result in Redis itself, and tells the "
        "parent that it is done"
    )
    return finish(figure, f"{title}\n{words}")


def _box(
    axes: Any, corner: tuple[float, float], size: tuple[float, float], text: str, colour: str, ink: str = INK
) -> None:
    """A box with its lower left corner at `corner`."""
    from matplotlib.patches import FancyBboxPatch

    style = {"boxstyle": "round,pad=0,rounding_size=0.25", "facecolor": colour, "edgecolor": INK, "linewidth": 0.8}
    axes.add_patch(FancyBboxPatch(corner, *size, **style))
    (x, y), (width, height) = corner, size
    axes.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=9.5, color=ink)


def _arrow(axes: Any, begin: tuple[float, float], end: tuple[float, float], text: str) -> None:
    axes.annotate("", end, begin, arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.4})
    axes.text((begin[0] + end[0]) / 2, begin[1] + 0.14, text, ha="center", fontsize=9, color=INK)
