"""How every picture is drawn: with matplotlib's own defaults, and nobody's settings."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from .kernel import import_matplotlib

P, T = ParamSpec("P"), TypeVar("T")


def plain(draw: Callable[P, T]) -> Callable[P, T]:
    """Draw with matplotlib's defaults: a matplotlibrc of the reader's may name a font or a TeX that is not there."""

    @wraps(draw)
    def drawn(*data: P.args, **options: P.kwargs) -> T:
        import_matplotlib()
        from matplotlib import style

        with style.context("default"):
            return draw(*data, **options)

    return drawn
