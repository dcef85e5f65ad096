"""Lanes that grow while a block runs, so that a cell which takes seconds shows that it is alive.

Drawn as a few HTML boxes, which costs about a thousandth of a second a frame and so does not disturb what is
measured. With LAB_LIVE=0 (tests, and when outputs are stored) only the last frame is shown.
"""

import html
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

from ..basics.kernel import is_notebook
from .lanes import RUNS, WAITS, Bar, Group, Lane, key_words
from .picture import Picture
from .style import WAITING

INTERVAL_SECONDS = 0.2  # between two frames
LAST_SECONDS = 10  # for the last frame
KEY = key_words({WAITS: True, RUNS: True})
STRIP_PIXELS, BAR_PIXELS = (3, 3), (7, 14)  # from the top of a lane, and in height


class Live:
    """Shows frames of something that goes on, and at its end the picture that stays."""

    def __init__(self, title: str, frame: Callable[[], str | None]) -> None:
        """`frame` is called in a thread of its own, and gives None where there is nothing new to show."""
        self._frame = frame
        self._over = threading.Event()
        self._handle: Any = None  # of what is displayed
        if is_notebook() and os.environ.get("LAB_LIVE") != "0":
            from IPython.display import HTML, display

            self._handle = display(HTML(frame_of(title, [], 0)), display_id=True)
            self._thread = threading.Thread(target=self._grow, name="lab-live", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop drawing; returns when the last frame is out."""
        self._over.set()
        if self._handle:
            self._thread.join(LAST_SECONDS)

    def show(self, draw: Callable[[], Picture]) -> None:
        """Put the picture in the place of the frames. Without a notebook nothing is drawn."""
        if not is_notebook():
            return
        from IPython.display import display

        picture = draw()
        self._handle.update(picture) if self._handle else display(picture)

    def _grow(self) -> None:
        from IPython.display import HTML

        while not self._over.wait(INTERVAL_SECONDS):
            if frame := self._frame():
                self._handle.update(HTML(frame))


def frame_of(
    title: str, groups: Sequence[Group], now: float, *, waiting: tuple[int, int] = STRIP_PIXELS, key: str = KEY
) -> str:
    """One frame: the axis is as long as the time that has passed, and never shorter than a second.

    `waiting` is where a wait is drawn in its lane: `STRIP_PIXELS` above the bars that it may overlap, or `BAR_PIXELS`;
    `key` says what pale and dark mean, once something waits.
    """
    scale = 100 / max(now, 1)
    said = f"<b>{html.escape(title)}: {now:.1f} s</b>"
    if any(lane.waiting for group in groups for lane in group.lanes):
        said += f'<div style="opacity: 0.8">{html.escape(key)}</div>'
    for group in groups:
        said += f'<div style="padding-top: 6px">{html.escape(group.name)}</div>' if group.name else ""
        said += "".join(_row(lane, now, scale, waiting) for lane in group.lanes)
    return f'<div style="font: 12px sans-serif; max-width: 800px">{said}</div>'


def _row(lane: Lane, now: float, scale: float, waiting: tuple[int, int]) -> str:
    boxes = "".join(_box(bar, now, scale, WAITING, *waiting) for bar in lane.waiting)
    boxes += "".join(_box(bar, now, scale, bar.colour, *BAR_PIXELS) for bar in lane.running)
    return (
        '<div style="display: flex; height: 22px"><span style="width: 130px; overflow: hidden">'
        f'{html.escape(lane.name)}</span><span style="flex: 1; position: relative">{boxes}</span></div>'
    )


def _box(bar: Bar, now: float, scale: float, colour: str, top: int, height: int) -> str:
    width = max(bar.end_or(now) - bar.begin, 0) * scale
    label = html.escape(bar.label) if height > 10 and width > 6 else ""
    return (
        f'<span style="position: absolute; left: {bar.begin * scale:.1f}%; width: {width:.1f}%; top: {top}px; '
        f"height: {height}px; background: {colour}; color: white; font-size: 10px; text-align: center; "
        f'overflow: hidden; box-shadow: inset -1px 0 white">{label}</span>'
    )
