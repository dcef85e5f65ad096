"""How long somebody waited: visitors of a web site in lanes, and the waits of several groups as sorted bars."""

from collections.abc import Mapping, Sequence

from ..basics.errors import LabError
from ..basics.text import in_seconds
from .lanes import Lane
from .picture import Picture, finish, new_axes
from .rows import LEAST_WIDTH, draw_bar, name_rows
from .style import ALARM, INK, WAITING, plain


@plain
def draw_visits(lanes: Sequence[Lane], *, title: str) -> Picture:
    """A lane for each visitor of a web site: pale until the site begins with them, solid while it handles them."""
    last = max([1.0, *(bar.end_or(0) for lane in lanes for bar in lane.running)])  # milliseconds shall look short
    figure, axes = new_axes(0.26 * len(lanes) + 1.0, title, "seconds")
    for y, lane in enumerate(lanes):
        for bar in lane.waiting:
            axes.broken_barh([(bar.begin, bar.end_or(last) - bar.begin)], (y + 0.12, 0.76), color=WAITING)
        for bar in lane.running:
            alarm = bar.state in ALARM
            least = LEAST_WIDTH * last * (4 if alarm else 1)  # wide enough to see the hatching, too
            end = max(bar.end_or(last), bar.begin + least)
            draw_bar(axes, bar.begin, end, (y + 0.12, 0.76), alarm=alarm)
            axes.text(end, y + 0.48, f" {bar.label}", va="center", fontsize=9, color=INK)
    name_rows(axes, {y + 0.5: lane.name for y, lane in enumerate(lanes)}, len(lanes))
    axes.set(xlim=(0, last * 1.14))
    failed = sum(bar.state in ALARM for lane in lanes for bar in lane.running)
    kinds = f"{len(lanes)} visitor{'s' * (len(lanes) != 1)}" + (f", {failed} of them without success" if failed else "")
    return finish(figure, f"{title}\n{kinds}")


@plain
def draw_waits(groups: Mapping[str, Sequence[float]], *, title: str) -> Picture:
    """How long each of several groups waited: a bar for each wait, sorted, all groups on one axis.

    groups: for each name the waits in seconds, such as `{"mail in the request": visits.waits}`
    title:  stands above the picture

    Raises `LabError` where nobody waited.
    """
    last = max([0.0, *(wait for waits in groups.values() for wait in waits)])
    if not last:
        raise LabError("draw_waits takes seconds by name, for example {'mail in the request': visits.waits}.")
    rows = sum(len(waits) + 1.6 for waits in groups.values())
    figure, axes = new_axes(0.2 * rows + 0.9, title, "seconds")
    y = 0.0
    for name, waits in groups.items():
        axes.text(0, y + 0.7, name, fontsize=10, weight="bold", va="center", color=INK)
        y += 1.3
        for wait in sorted(waits):
            end = max(wait, LEAST_WIDTH * last)
            draw_bar(axes, 0, end, (y + 0.12, 0.76), alarm=False)
            axes.text(end, y + 0.48, f" {in_seconds(wait)}", va="center", fontsize=8, color=INK)
            y += 1
        y += 0.3
    name_rows(axes, {}, y)
    axes.set(xlim=(0, last * 1.12))
    counts = ", ".join(f"{name} ({len(waits)})" for name, waits in groups.items())
    return finish(figure, f"{title}\nbars, from the top: {counts}")
