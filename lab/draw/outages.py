"""`lab.draw_outages`: how long an outage went unnoticed, and how long until work went on."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .lanes import key_words
from .picture import Picture, draw_key, finish, new_panels
from .style import FAILED, HATCH, INK, ON_PAPER, RUNNING, WAITING, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BAR = 0.55  # of a row


@plain
def draw_outages(panels: Mapping[str, Sequence[Mapping[str, Any]]], *, title: str, most: float = 30) -> Picture:
    """Rows of outages, a panel for each kind of settings, all on one axis of seconds since the outage began.

    panels: for each panel's name its rows: `name`; `noticed` and `back`, in seconds, None for never; `watched`, how
            long somebody looked; `sent` and `lost`, numbers of messages, where they were counted
    title:  stands above the picture
    most:   seconds on the axis; what is longer is cut with an arrow (default 30)

    Pale is the time in which nobody has noticed, hatched the time from then until work goes on. A row whose `who` is
    "site" ends when the site has its error.
    """
    rows = sum(len(panel) for panel in panels.values())
    figure, places = new_panels(
        0.34 * rows + 0.55 * len(panels) + 0.75,
        title,
        rows=len(panels),
        sharex=True,
        gridspec_kw={"height_ratios": [len(panel) + 0.6 for panel in panels.values()]},
    )
    for axes, (name, panel) in zip(places, panels.items(), strict=True):
        for y, row in enumerate(panel):
            _draw_row(axes, y, row, most)
        axes.set(
            yticks=range(len(panel)), yticklabels=[row["name"] for row in panel], ylim=(len(panel) - 0.4, -0.6),
            xlim=(0, most * 1.3),
        )  # fmt: skip
        axes.set_xticks(range(0, int(most) + 1, 5))
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        axes.set_title(name, fontsize=10, pad=20 if axes is places[0] else None)
    draw_key(places[0], key_words({"pale: nobody has noticed": True, "hatched: noticed, no work yet": True}))
    places[-1].set_xlabel("seconds since the outage began")
    said = [f"{name}: " + "; ".join(_in_words(row) for row in panel) for name, panel in panels.items()]
    return finish(figure, "\n".join([title, *said]))


def _draw_row(axes: "Axes", y: int, row: Mapping[str, Any], most: float) -> None:
    noticed, back, end = row["noticed"], row["back"], _end(row)
    unnoticed = min(value for value in (noticed, back, most) if value is not None)
    axes.barh(y, min(unnoticed, most), height=BAR, color=WAITING)
    if row["who"] != "site" and noticed is not None and noticed < most:
        until = min(most, back if back is not None else most)
        axes.barh(y, max(until - noticed, 0), left=noticed, height=BAR, fc="white", ec=FAILED, hatch=HATCH, lw=0.8)
    if end is None or end > most:
        colour = WAITING if noticed is None else FAILED
        axes.annotate(
            "", (most * 1.04, y), (most * 0.985, y), arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 3}
        )
        words = f"not in {row['watched']:.0f} s" if end is None else f"{end:.0f} s"
        axes.text(most * 1.05, y, words, va="center", fontsize=9, color=INK)
    else:
        axes.plot([end], [y], marker="o", ms=6, color=RUNNING, clip_on=False, zorder=3)
        axes.text(end + 0.02 * most, y, f"{end:.1f} s{_losses(row)}", va="center", fontsize=9, color=INK,
                  bbox=ON_PAPER)  # fmt: skip


def _end(row: Mapping[str, Any]) -> float | None:
    """When the bar ends: a site has its error, a worker works again."""
    return row["noticed"] if row["who"] == "site" else row["back"]


def _losses(row: Mapping[str, Any]) -> str:
    return f", lost {row['lost']} of {row['sent']}" if row.get("sent") else ""


def _in_words(row: Mapping[str, Any]) -> str:
    """What is the same in every run."""
    end = "never" if _end(row) is None else "error" if row["who"] == "site" else "works again"
    return f"{row['name']}: {end}"
