"""Choices that look random and are the same on every machine."""

import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import count
from struct import unpack
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """A stream of numbers that depends on ``parts`` alone.

    ``random`` and ``hash()`` are unsuitable: ``random`` may change its algorithms between Python
    versions, and ``hash()`` has a new salt in every process.
    """

    def __init__(self, *parts: str) -> None:
        # JSON keeps ("ab", "c") and ("a", "bc") apart, and is pure ASCII.
        self._next = _numbers(json.dumps(parts).encode("ascii")).__next__

    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1; n must be at least 1 and far below 2**64."""
        return self._next() % n

    # A timeline takes hundreds of draws: these two do not call below(), because a call takes time.

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + self._next() % (high - low + 1)

    def pick(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self._next() % len(items)]

    def sample(self, items: Sequence[T], size: int) -> list[T]:
        """``size`` different items (at most all there are) in any order: Fisher and Yates, cut short."""
        pool = list(items)
        for first in range(size):
            other = first + self.below(len(pool) - first)
            pool[first], pool[other] = pool[other], pool[first]
        return pool[:size]


def _numbers(seed: bytes) -> Iterator[int]:
    """Numbers of 64 bits without end: every sha256 yields four."""
    for block in count():
        yield from unpack(">4Q", sha256(b"%d %s" % (block, seed)).digest())
