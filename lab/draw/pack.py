"""Packing: things that overlap in time take a row each, things that follow one another share one."""

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def pack(things: Iterable[T], follows: Callable[[T, T], bool]) -> list[list[T]]:
    """The things, in as few rows as they need: each goes into the first row whose last thing it `follows`.

    `follows(last, thing)` says whether `thing` may come after `last`; `things` are sorted by their start.
    """
    rows: list[list[T]] = []
    for thing in things:
        row = next((row for row in rows if follows(row[-1], thing)), None)
        if row is None:
            rows.append(row := [])
        row.append(thing)
    return rows
