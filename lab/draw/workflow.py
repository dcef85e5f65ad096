"""`lab.draw_workflow`: the steps of a workflow as boxes, with the state of each, and arrows for what waits for what."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..basics.text import shorten
from ..record.workflow import Following, Parallel, Part, Step, part_of
from .boxes import Point, draw_arrow, draw_frame
from .picture import Picture, finish, new_axes
from .style import ALARM, FAILED, HATCH, INK, RUNNING, WAITING, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 8  # steps side by side that a picture has room for
WIDTH, HEIGHT = 0.74, 0.74  # of a box, as a share of its column and row
ROW_INCHES = 0.5
LETTERS = 110  # of 9 points that fit into the picture's width


@dataclass(frozen=True)
class Ends:
    """Where arrows into a part of a workflow end, and where those out of it begin."""

    into: list[Point]
    out: list[Point]


@plain
def draw_workflow(canvas: Any, *, title: str) -> Picture:
    """The steps of a workflow from left to right, each with the state that it has now.

    canvas: a chain, group or chord, or any other signature of Celery's. Steps that were given an id with
            `.set(task_id=…)` show its state; others are drawn as if they were not yet sent
    title:  stands above the picture

    Pale steps wait, dark ones run, white ones are done; those that failed or were revoked are hatched.
    """
    part = _cut(part_of(canvas))
    columns, rows = _size(part)
    figure, axes = new_axes(ROW_INCHES * rows + 0.6, title, "")
    axes.axis("off")
    axes.set(xlim=(0, columns), ylim=(rows, 0))
    _draw(axes, part, (0, 0), rows, int(LETTERS * WIDTH / columns))
    return finish(figure, f"{title}\n{_in_words(part)}")


def _cut(part: Part) -> Part:
    """The part with no more steps side by side than there is room for."""
    if isinstance(part, Step):
        return part
    parts = [_cut(each) for each in part.parts]
    if isinstance(part, Following):
        return Following(parts)
    if len(parts) > MOST:
        parts = [*parts[: MOST - 1], Step(f"… and {len(parts) - MOST + 1} more", "")]
    return Parallel(parts)


def _size(part: Part) -> tuple[int, int]:
    """Columns and rows that it takes."""
    if isinstance(part, Step):
        return 1, 1
    sizes = [_size(each) for each in part.parts] or [(1, 1)]
    columns, rows = zip(*sizes, strict=True)
    return (sum(columns), max(rows)) if isinstance(part, Following) else (max(columns), sum(rows))


def _draw(axes: "Axes", part: Part, corner: Point, rows: int, letters: int) -> Ends:
    """Draw a part with its upper left corner there, in the middle of so many rows."""
    x, y = corner
    if isinstance(part, Step):
        return _draw_step(axes, part, (x, y + (rows - 1) / 2), letters)
    if isinstance(part, Parallel):
        y += (rows - _size(part)[1]) / 2
        ends = []
        for each in part.parts:
            ends.append(_draw(axes, each, (x, y), _size(each)[1], letters))
            y += _size(each)[1]
        return Ends([point for end in ends for point in end.into], [point for end in ends for point in end.out])
    first: Ends | None = None
    before = Ends([], [])
    for each in part.parts:
        ends_here = _draw(axes, each, (x, y), rows, letters)
        if before.out and ends_here.into:
            _join(axes, before.out, ends_here.into)
        first, before = first or ends_here, ends_here
        x += _size(each)[0]
    return Ends((first or before).into, before.out)


def _join(axes: "Axes", starts: list[Point], ends: list[Point]) -> None:
    """Arrows from what must have ended to what begins then. Where there are several, they meet in one point."""
    if len(starts) == len(ends) == 1:
        draw_arrow(axes, starts[0], ends[0])
        return
    left, right = max(x for x, _ in starts), min(x for x, _ in ends)
    meet = ends[0] if len(ends) == 1 else starts[0] if len(starts) == 1 else (0.0, _mean(starts))
    middle = ((left + right) / 2, meet[1])
    for x, y in starts:
        axes.plot([x, middle[0]], [y, middle[1]], color=INK, linewidth=1.4, solid_capstyle="round")
    for end in ends:
        draw_arrow(axes, middle, end)


def _mean(points: list[Point]) -> float:
    return sum(y for _, y in points) / len(points)


def _draw_step(axes: "Axes", step: Step, corner: Point, letters: int) -> Ends:
    x, y = corner[0] + (1 - WIDTH) / 2, corner[1] + (1 - HEIGHT) / 2
    face, ink = _colours(step.state)
    edge = FAILED if step.state in ALARM else RUNNING
    if step.state in ALARM:
        from matplotlib.patches import Rectangle

        axes.add_patch(Rectangle((x, y), WIDTH, HEIGHT, facecolor=FAILED, edgecolor="white", hatch=HATCH, linewidth=0))
    else:
        draw_frame(axes, (x, y), (WIDTH, HEIGHT), face, edge=edge, rounding=0.04)
    middle = x + WIDTH / 2
    paper = {"fc": face, "ec": "none", "pad": 1} if step.state in ALARM else None
    for words, height, size in ((shorten(step.name, letters), 0.3, 9), (step.state, 0.7, 8)):
        axes.text(
            middle, y + HEIGHT * (height if step.state else 0.5), words, ha="center", va="center", fontsize=size,
            color=ink, bbox=paper, parse_math=False,
        )  # fmt: skip
    return Ends([(x, y + HEIGHT / 2)], [(x + WIDTH, y + HEIGHT / 2)])


def _colours(state: str) -> tuple[str, str]:
    """Of a box, and of the words in it."""
    if state in ALARM:
        return FAILED, "white"
    if state in ("STARTED", "RECEIVED"):
        return RUNNING, "white"
    return (WAITING, INK) if state == "PENDING" else ("white", INK)


def _in_words(part: Part) -> str:
    if isinstance(part, Step):
        return f"{part.name} {part.state}".rstrip()
    if isinstance(part, Parallel):
        return f"({' | '.join(_in_words(each) for each in part.parts)})"
    return " > ".join(_in_words(each) for each in part.parts)
