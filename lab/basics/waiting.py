"""The one loop that waits until something is so. Whoever waits for a condition calls it."""

import time
from collections.abc import Callable
from typing import TypeVar

from .deadline import deadline

T = TypeVar("T")
PAUSE_SECONDS = 0.02


def wait_until(
    ready: Callable[[], T | None], seconds: float, said: Callable[[], str], *, pause: float = PAUSE_SECONDS
) -> T:
    """Call `ready` until it returns something true, and return that.

    Between two calls it sleeps `pause` seconds. Raises `LabError` with the words of `said` after `seconds` seconds.
    """
    with deadline(seconds, said) as check:
        while not (value := ready()):
            check()
            time.sleep(pause)
    return value
