"""Diagrams of how it works: client, queue, worker, result; and a worker from the inside."""

from typing import TYPE_CHECKING

from .boxes import Point, draw_arrow, draw_box, draw_label
from .picture import Picture, finish, new_axes
from .style import INK, RUNNING, WAITING, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@plain
def draw_overview() -> Picture:
    """Who talks to whom when a notebook calls `fetch_url.delay(url)`."""
    title = "What happens when you call fetch_url.delay(url)"
    figure, axes = new_axes(3.3, title, "")
    axes.set(xlim=(0, 18), ylim=(0.3, 6.8))
    axes.axis("off")
    draw_label(axes, 1.8, 3.5, "client\n\nthis notebook,\nor a web site", WAITING)
    draw_label(axes, 6.8, 5.6, "queue\n\na list in Redis", WAITING)
    draw_label(axes, 6.8, 1.4, "results\n\nkeys in Redis", WAITING)
    draw_label(axes, 11.9, 3.5, "worker\n\n5 processes that run\nthe function fetch_url", RUNNING, "white")
    draw_label(axes, 16.7, 3.5, "Facebook\n\na mock, 2 s\na call", "white")
    draw_arrow(axes, (2.4, 4.9), (5.1, 5.6))
    axes.text(0.9, 5.75, "1  send a message", fontsize=9.5, color=INK)
    draw_arrow(axes, (8.5, 5.6), (11.3, 4.9))
    axes.text(10.1, 5.75, "2  take it", fontsize=9.5, color=INK)
    draw_arrow(axes, (14.2, 3.5), (15.4, 3.5))
    axes.text(14.0, 3.95, "3  fetch", fontsize=9.5, color=INK)
    draw_arrow(axes, (11.3, 2.1), (8.5, 1.4))
    axes.text(10.1, 1.15, "4  store the result", fontsize=9.5, color=INK)
    draw_arrow(axes, (5.1, 1.4), (2.4, 2.1))
    axes.text(1.9, 1.15, "5  read it", fontsize=9.5, color=INK)
    words = (
        "a client sends a message to the queue in Redis; a worker takes it, runs the function fetch_url, which "
        "calls Facebook, and stores the result in Redis, where the client reads it"
    )
    return finish(figure, f"{title}\n{words}")


@plain
def draw_worker() -> Picture:
    """The way of one message through a worker with processes and early acknowledgement, Celery's defaults."""
    title = "One message on its way through a worker"
    figure, axes = new_axes(3.4, title, "")
    axes.set(xlim=(0, 18), ylim=(0.2, 7))
    axes.axis("off")
    draw_box(axes, (6.1, 0.3), (11.8, 6.6), "", "#F4F4F4")
    axes.text(6.4, 0.6, "worker", fontsize=9.5, color=INK, style="italic")
    draw_box(axes, (0.1, 3.5), (3.0, 2.9), "Redis\n\nqueue,\nunacked", WAITING)
    draw_box(axes, (0.1, 0.8), (3.0, 1.7), "Redis\n\nresults", WAITING)
    draw_box(axes, (6.6, 3.2), (3.4, 3.4), "parent\n\ntakes messages,\nnever runs a task", "white")
    draw_box(axes, (14.2, 0.5), (3.4, 6.0), "", RUNNING)
    draw_box(axes, (13.9, 0.8), (3.4, 6.0), "child\n\nruns one task\nat a time,\nknows no queue", RUNNING, "white")
    _step(axes, (3.2, 5.9), (6.5, 5.9), "1  take")
    _step(axes, (10.1, 5.9), (13.8, 5.9), "2  hand over")
    _step(axes, (13.8, 4.9), (10.1, 4.9), "3  begun")
    _step(axes, (6.5, 3.9), (3.2, 3.9), "4  acknowledge")
    _step(axes, (13.8, 2.1), (3.2, 2.1), "5  STARTED")
    _step(axes, (13.8, 1.2), (3.2, 1.2), "6  the result")
    _step(axes, (13.8, 3.6), (10.1, 3.6), "7  done")
    words = (
        "the parent takes a message from the queue and hands it to a child; the child says that it has begun, and the "
        "parent acknowledges the message; the child stores STARTED and the result in Redis itself, and tells the "
        "parent that it is done"
    )
    return finish(figure, f"{title}\n{words}")


def _step(axes: "Axes", start: Point, end: Point, text: str) -> None:
    """An arrow, and above its middle what happens there."""
    draw_arrow(axes, start, end)
    axes.text((start[0] + end[0]) / 2, start[1] + 0.14, text, ha="center", fontsize=9, color=INK)
