"""`lab.draw_cpu`: the cores that were used, over time."""

from typing import TYPE_CHECKING

from ..basics.errors import LabError
from ..record.processor import Usage
from .picture import Picture, draw_key, finish, new_panels
from .style import MODEL, RUNNING, WAITING, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@plain
def draw_cpu(*usages: Usage, title: str) -> Picture:
    """The cores used over time, one panel for each usage, all on one axis of seconds.

    usages: as `with lab.watch_cpu(…) as usage:` gave them, one or more
    title:  stands above the picture

    Dark is what the watched processes used, pale on top of it what all other programs did.
    """
    from matplotlib.ticker import MaxNLocator

    if not usages:
        raise LabError("draw_cpu takes what lab.watch_cpu gave: lab.draw_cpu(usage, title=…).")
    figure, places = new_panels(1.15 * len(usages) + 0.9, title, rows=len(usages), sharex=True)
    last = max(usage.took for usage in usages)
    limit = max(usage.limit for usage in usages)
    top = min(limit, max(2, *(round(sample.ours + 1) for usage in usages for sample in usage.samples)))
    for axes, usage in zip(places, usages, strict=True):
        _draw_usage(axes, usage, limit)
        axes.set(xlim=(0, last * 1.02), ylim=(0, top * 1.08), ylabel="cores")
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=top >= 1))
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y")
    draw_key(places[0], "dark: the processes watched  ·  pale: other programs  ·  line: all cores", above=22)
    places[-1].set_xlabel("seconds")
    return finish(figure, "\n".join([title, *(f"{usage.title}: cores used over time" for usage in usages)]))


def _draw_usage(axes: "Axes", usage: Usage, limit: float) -> None:
    edges = [each.begin for each in usage.samples] + [usage.took]
    ours = [each.ours for each in usage.samples]
    all_used = [max(limit - each.free, 0) + each.ours for each in usage.samples]
    axes.stairs(all_used, edges, baseline=ours, fill=True, color=WAITING)
    axes.stairs(ours, edges, fill=True, color=RUNNING)
    axes.axhline(limit, color=MODEL, linewidth=1)
    headline = f"{usage.title}: {usage.took:.2f} s, {usage.cores:.2f} cores on average"
    axes.set_title(headline, fontsize=10, weight="bold")
