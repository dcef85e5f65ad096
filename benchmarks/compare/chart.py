"""The chart of a comparison, in the course's visual language."""

import io
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PIL import Image

from lab.draw.picture import Picture, finish, new_panels
from lab.draw.style import FAILED, HATCH, INK, MODEL, RUNNING, plain

from .figures import MEASURES, PARTS, PLAIN, Spread, lead, verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SUBJECT = "Celery"
OUTCOMES = {"recovered": "comes back", "set aside": "put aside", "lost": "lost"}


@plain
def draw(result: Mapping[str, Any]) -> Picture:
    """A panel for each measure and a bar for each peer: the median, and a line from the least to the most. Celery is
    blue, the others grey. The last panel says what becomes of a task whose worker is killed. `result` is what
    `figures.as_json` gives."""
    peers = list(result["about"]["peers"])
    title = " ·\n".join(result["finding"].rsplit(" · ", 1))  # two lines: it is wider than the chart
    figure, panels = new_panels(8.6, title, rows=4, columns=2)
    places = iter(panels)
    said = [result["finding"]]
    for measure, axes in zip(MEASURES, places, strict=False):
        spreads = spreads_of(result, measure)
        marks = [spreads_of(result, part) for part in PARTS if measure == "five"]
        said.append(_draw_measure(axes, measure, spreads, marks, peers, result["about"]))
    said.append(_draw_killed(next(places), result["killed"], peers))
    _draw_words(next(places), result["about"], lead(spreads_of(result, "five"), spreads_of(result, PARTS[0]), SUBJECT))
    return smaller(finish(figure, "\n".join(said)))


def smaller(picture: Picture) -> Picture:
    """The same in 128 colours, which is all it has: half the bytes, for a file that is kept with the code."""
    with Image.open(io.BytesIO(picture.png)) as image, io.BytesIO() as file:
        image.convert("RGB").quantize(128, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
            file, "png", optimize=True
        )
        return replace(picture, png=file.getvalue())


def spreads_of(result: Mapping[str, Any], measure: str) -> dict[str, Spread]:
    return {peer: Spread(**each) for peer, each in result["figures"].get(measure, {}).items()}


def _draw_measure(
    axes: "Axes",
    measure: str,
    spreads: Mapping[str, Spread],
    marks: Sequence[Mapping[str, Spread]],
    peers: Sequence[str],
    about: Mapping[str, Any],
) -> str:
    """`marks` divide a bar: the white ones are where all calls were sent, and where all were at the server."""
    what, unit, _ = MEASURES[measure]
    title = what.format(**about) + (f", {unit}" if unit else "")
    last = max((each.most for each in spreads.values()), default=1.0)
    for row, peer in enumerate(peers):
        if peer not in spreads:
            axes.text(0, row, " –", va="center", fontsize=9, color=MODEL)
            continue
        each, color = spreads[peer], RUNNING if peer == SUBJECT else MODEL
        axes.barh(row, each.median, color=color, height=0.6)
        for mark in marks:
            if peer in mark:
                axes.plot([mark[peer].median] * 2, [row - 0.3, row + 0.3], color="white", linewidth=2)
        axes.plot([each.least, each.most], [row, row], color=INK, linewidth=1, solid_capstyle="butt")
        axes.text(each.most, row, f" {in_digits(each.median)}", va="center", fontsize=9, color=INK)
    subtitle = verdict(measure, spreads, SUBJECT)
    _name(axes, peers, title, subtitle)
    axes.set(xlim=(0, last * 1.25), xticks=[])
    return f"{title}: {subtitle}"


def _draw_killed(axes: "Axes", killed: Mapping[str, Mapping[str, Sequence[str]]], peers: Sequence[str]) -> str:
    said = []
    for row, peer in enumerate(peers):
        for column, use in enumerate(("default", "safe")):
            outcomes = killed.get(peer, {}).get(use)
            if not outcomes:
                words = " – ends with its process" if column == 0 and peer in PLAIN else ""
                axes.text(column, row, words, va="center", fontsize=9, color=MODEL)
                continue
            worst = max(outcomes, key=["recovered", "set aside", "lost", "unknown"].index)
            lost = worst != "recovered"
            axes.barh(
                row, 0.06, left=column, height=0.6, color=FAILED if lost else RUNNING if peer == SUBJECT else MODEL,
                hatch=HATCH if lost else None, edgecolor="white", linewidth=0,
            )  # fmt: skip
            axes.text(column + 0.08, row, OUTCOMES.get(worst, worst), va="center", fontsize=9, color=INK)
            said.append(f"{peer} {use} {worst}")
    _name(axes, peers, "a task whose worker gets kill -9", "left by default, right at its safest")
    axes.set(xlim=(0, 2.2), xticks=[])
    return "killed: " + ", ".join(said)


def _draw_words(axes: "Axes", about: Mapping[str, Any], reason: str) -> None:
    """What the figures hold for, and the reason why another queue is ahead with five calls."""
    packages = [f"{name} {number}" for name, number in about["packages"].items()]
    lines = [
        "Bars are medians, lines go from the least to the most.",
        "Five calls, white marks: all are sent; all are at the server.",
        *textwrap.wrap(reason, 62),
        f"Rounds in rotation: {about['rounds']}; one call a task: {about['singles']}.",
        f"{about['cores']:g} cores, load {about['load_at_start'][0]:g} at the start (other programs),",
        f"{about['system']}, Python {about['python']}",
        *(", ".join(packages[n : n + 3]) for n in range(0, len(packages), 3)),
    ]
    lines += textwrap.wrap(about.get("note", ""), 56)  # what a reader of these figures must know besides
    axes.text(0, 1, "\n".join(lines), va="top", fontsize=8, color=INK, transform=axes.transAxes)
    axes.set_axis_off()


def _name(axes: "Axes", peers: Sequence[str], title: str, subtitle: str) -> None:
    axes.set_title(f"{title}\n", fontsize=10, weight="bold")
    axes.text(0, 1.03, subtitle, transform=axes.transAxes, fontsize=8.5, color=INK)
    axes.set_yticks(range(len(peers)), peers)
    axes.set_ylim(len(peers) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["bottom"].set_visible(False)


def in_digits(value: float) -> str:
    """A number with the digits that matter: two after the point below ten, none above a hundred."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"
