"""The picture of the whole: client, queue, worker, result."""

from typing import Any

from .charts import INK, RUNNING, WAITING, Picture, finish, new_axes
from .style import plain

BOX = {"boxstyle": "round,pad=0.5", "linewidth": 1.2}


@plain
def draw_overview() -> Picture:
    """Who talks to whom when a notebook calls `fetch_url.delay(url)`."""
    title = "What happens when you call fetch_url.delay(url)"
    figure, axes = new_axes(3.3, title, "")
    axes.set(xlim=(0, 18), ylim=(0.3, 6.8))
    axes.axis("off")
    _box(axes, 1.8, 3.5, "client\n\nthis notebook,\nor a web site", WAITING)
    _box(axes, 6.8, 5.6, "queue\n\na list in Redis", WAITING)
    _box(axes, 6.8, 1.4, "results\n\nkeys in Redis", WAITING)
    _box(axes, 11.9, 3.5, "worker\n\n5 processes that run\nthe function fetch_url", RUNNING, "white")
    _box(axes, 16.7, 3.5, "Facebook\n\na mock, 2 s\na call", "white")
    _arrow(axes, (2.4, 4.9), (5.1, 5.6), "1  send a message", (0.9, 5.75))
    _arrow(axes, (8.5, 5.6), (11.3, 4.9), "2  take it", (10.1, 5.75))
    _arrow(axes, (14.2, 3.5), (15.4, 3.5), "3  fetch", (14.0, 3.95))
    _arrow(axes, (11.3, 2.1), (8.5, 1.4), "4  store the result", (10.1, 1.15))
    _arrow(axes, (5.1, 1.4), (2.4, 2.1), "5  read it", (1.9, 1.15))
    words = (
        "a client sends a message to the queue in Redis; a worker takes it, runs the function fetch_url, which "
        "calls Facebook, and stores the result in Redis, where the client reads it"
    )
    return finish(figure, f"{title}\n{words}")


def _box(axes: Any, x: float, y: float, text: str, colour: str, ink: str = INK) -> None:
    axes.text(
        x, y, text, ha="center", va="center", fontsize=10, color=ink, bbox={**BOX, "fc": colour, "ec": RUNNING}
    )  # fmt: skip


def _arrow(axes: Any, begin: tuple[float, float], end: tuple[float, float], text: str, at: tuple[float, float]) -> None:
    axes.annotate("", end, begin, arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.4})
    axes.text(*at, text, fontsize=9.5, color=INK)
