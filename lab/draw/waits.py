"""How long somebody waited: visitors of a web site in lanes, and the waits of several groups as sorted bars."""

from collections.abc import Mapping, Sequence

from ..basics.errors import LabError
from ..basics.text import in_seconds
from .lanes import Lane, key_words
from .picture import Picture, finish, new_axes
from .rows import LEAST_WIDTH, draw_bar, name_rows
from .style import ALARM, INK, ON_PAPER, WAITING, plain


@plain
def draw_visits(lanes: Sequence[Lane], *, title: str) -> Picture:
    """A lane for each visitor of a web site, from the start to the answer: pale until the site begins, then dark.

    The length of a lane is the wait that its label names. One without success is vermilion and hatched, where there is
    room for that, and its label says so in words; it is never drawn longer than the visitor waited.
    """
    last = max([1.0, *(bar.end_or(0) for lane in lanes for bar in lane.running)])  # milliseconds should look short
    failed = sum(bar.state in ALARM for lane in lanes for bar in lane.running)
    key = visit_key(told=any(lane.waiting for lane in lanes), failed=failed > 0)
    figure, axes = new_axes(0.26 * len(lanes) + 1.2, title, "seconds", key=key)
    for y, lane in enumerate(lanes):
        for bar in lane.waiting:
            axes.broken_barh([(bar.begin, bar.end_or(last) - bar.begin)], (y + 0.12, 0.76), color=WAITING, linewidth=0)
        for bar in lane.running:
            end = max(bar.end_or(last), bar.begin + LEAST_WIDTH * last)
            draw_bar(axes, bar.begin, end, (y + 0.12, 0.76), alarm=bar.state in ALARM)
            axes.annotate(
                bar.label, (end, y + 0.48), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9,
                color=INK, bbox=ON_PAPER,
            )  # fmt: skip
    name_rows(axes, {y + 0.5: lane.name for y, lane in enumerate(lanes)}, len(lanes))
    axes.set(xlim=(0, last * 1.14))
    kinds = f"{len(lanes)} lane{'s, one for each visitor' if len(lanes) != 1 else ', of one visitor'}"
    return finish(figure, f"{title}\n{kinds}" + (f"; {failed} without a good answer" if failed else ""))


def visit_key(*, told: bool, failed: bool = False) -> str:
    """What the colours of visits mean; `told` says whether the site tells when it begins with a visitor."""
    return key_words(
        {
            "pale: waits for the site to begin": told,
            "dark: is served, until the answer": told,
            "dark: waits for the answer": not told,
            "hatched: failed": failed,
        }
    )


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
            axes.annotate(
                in_seconds(wait), (end, y + 0.48), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8,
                color=INK, bbox=ON_PAPER,
            )  # fmt: skip
            y += 1
        y += 0.3
    name_rows(axes, {}, y)
    axes.set(xlim=(0, last * 1.12))
    counts = ", ".join(f"{name} ({len(waits)})" for name, waits in groups.items())
    return finish(figure, f"{title}\nbars, from the top: {counts}")
