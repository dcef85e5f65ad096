"""Diagrams of how it works: client, queue, worker, result; and a worker from the inside."""

from typing import TYPE_CHECKING

from .boxes import Point, draw_arrow, draw_box, draw_frame
from .picture import Picture, finish, new_axes
from .style import INK, RUNNING, WAITING, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PAPER = "#F4F4F4"  # of a box that holds others


@plain
def draw_overview() -> Picture:
    """Who talks to whom when a notebook calls `fetch_url.delay(url)`."""
    title = "What happens when you call fetch_url.delay(url)"
    figure, axes = new_axes(3.4, title, "")
    axes.set(xlim=(0, 18), ylim=(0.1, 7))
    axes.axis("off")
    draw_box(axes, (0.1, 2.4), (3.0, 2.2), "client\n\nthis notebook,\nor a web site", WAITING)
    draw_frame(axes, (5.1, 0.3), (3.6, 6.5), PAPER, edge=INK, linewidth=0.8, rounding=0.25)
    axes.text(6.9, 3.5, "Redis", fontsize=9.5, color=INK, style="italic", ha="center", va="center")
    draw_box(axes, (5.4, 4.7), (3.0, 1.8), "queue\n\na list", WAITING)
    draw_box(axes, (5.4, 0.6), (3.0, 1.8), "results\n\none key a task", WAITING)
    draw_box(axes, (10.5, 2.4), (3.6, 2.2), "worker\n\n5 processes that run\nthe function fetch_url", RUNNING, "white")
    draw_box(axes, (15.6, 2.4), (2.3, 2.2), "Facebook\n\na mock,\n2 s a call", "white")
    _way(axes, (1.6, 4.6), (5.4, 5.6), "1  send a message", (0.4, 5.75))
    _way(axes, (8.4, 5.6), (12.4, 4.6), "2  take it", (10.9, 5.45))
    _way(axes, (14.1, 3.5), (15.6, 3.5), "3  fetch", (14.32, 3.7))
    _way(axes, (12.4, 2.4), (8.4, 1.4), "4  store the result", (10.9, 1.35))
    _way(axes, (5.4, 1.4), (1.6, 2.4), "5  read it", (1.7, 1.1))
    words = (
        "boxes and arrows: a client sends a message to the queue in Redis; a worker takes it and runs the function "
        "fetch_url, which calls Facebook; the worker stores the result in the same Redis, where the client reads it"
    )
    return finish(figure, f"{title}\n{words}")


@plain
def draw_worker() -> Picture:
    """The way of one message through a worker with processes and early acknowledgement, Celery's defaults."""
    title = "The parent takes messages; children store results"
    figure, axes = new_axes(3.4, title, "")
    axes.set(xlim=(0, 18), ylim=(0.2, 7))
    axes.axis("off")
    draw_box(axes, (6.1, 0.3), (11.8, 6.6), "", PAPER)
    axes.text(6.4, 0.6, "worker", fontsize=9.5, color=INK, style="italic")
    draw_box(axes, (0.1, 0.3), (3.4, 6.6), "", PAPER)
    axes.text(0.4, 2.75, "Redis", fontsize=9.5, color=INK, style="italic")
    draw_box(axes, (0.4, 3.3), (2.8, 3.3), "queue\n\nunacked", WAITING)
    draw_box(axes, (0.4, 0.6), (2.8, 1.9), "results", WAITING)
    draw_box(axes, (6.6, 3.3), (3.4, 3.3), "parent\n\ntakes messages,\nnever runs a task", "white")
    draw_box(axes, (14.2, 0.5), (3.4, 6.0), "", RUNNING)
    draw_box(axes, (13.9, 0.8), (3.4, 6.0), "child\n\nruns one task\nat a time,\nknows no queue", RUNNING, "white")
    _step(axes, (3.2, 5.9), (6.6, 5.9), "1  take")
    _step(axes, (10.0, 5.9), (13.9, 5.9), "2  hand over")
    _step(axes, (13.9, 4.9), (10.0, 4.9), "3  begun")
    _step(axes, (6.6, 3.9), (3.2, 3.9), "4  acknowledge")
    _step(axes, (13.9, 2.0), (3.2, 2.0), "4  STARTED")
    _step(axes, (13.9, 1.1), (3.2, 1.1), "5  the result")
    _step(axes, (13.9, 3.7), (10.0, 3.7), "6  done")
    words = (
        "boxes and arrows: the parent takes a message from the queue in Redis and hands it to a child; the child tells "
        "the parent that it has begun; then, in no fixed order, the parent acknowledges the message and the child "
        "stores STARTED; the child stores the result in the same Redis and tells the parent that it is done"
    )
    return finish(figure, f"{title}\n{words}")


def _way(axes: "Axes", start: Point, end: Point, text: str, place: Point) -> None:
    """An arrow, and at some place beside it what happens there."""
    draw_arrow(axes, start, end)
    axes.text(*place, text, fontsize=9.5, color=INK)


def _step(axes: "Axes", start: Point, end: Point, text: str) -> None:
    """An arrow, and above its middle what happens there."""
    draw_arrow(axes, start, end)
    axes.text((start[0] + end[0]) / 2, start[1] + 0.14, text, ha="center", fontsize=9, color=INK)
