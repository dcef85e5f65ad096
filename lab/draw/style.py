"""The look of every picture: its colours, and how matplotlib is set while one is drawn.

The colours hold for colour-blind readers and in grey print: pale waits, dark runs, vermilion and hatched has failed.
Purple is lighter than the blue in grey print.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from ..basics.kernel import import_matplotlib

P = ParamSpec("P")
T = TypeVar("T")

RUNNING, WAITING, FAILED, MODEL = "#0B5A8A", "#A8CBE0", "#D55E00", "#666666"
SECOND = "#A8558A"  # purple: runs, and is of a second kind
INK, GRID = "#222222", "#DDDDDD"
ALARM = {"FAILURE", "REJECTED", "REVOKED", "RETRY"}  # states of a task that are drawn as failed
HATCH = "////"
ON_PAPER: dict[str, Any] = {"fc": "white", "ec": "none", "pad": 0.8}  # behind words that a line of the grid would cross

# On top of matplotlib's own defaults.
SETTINGS: dict[str, Any] = {
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "figure.titlesize": 12,  # points
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
}


def plain(draw: Callable[P, T]) -> Callable[P, T]:
    """Draw with the course's look alone: a matplotlibrc of the reader's may name a font or a TeX that is not there."""

    @wraps(draw)
    def drawn(*data: P.args, **options: P.kwargs) -> T:
        import_matplotlib()
        from matplotlib import style

        with style.context(["default", SETTINGS]):
            return draw(*data, **options)

    return drawn
