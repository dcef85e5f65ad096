"""The deadline of a block, whatever it waits for: a server that answers a byte at a time, a frozen Redis, a loop.

A timeout of a library is one for each read or each try, so that many small waits can last for ever. Here the
system's alarm clock interrupts the block. An alarm reaches the main thread alone, where cells run; in another thread
a block has the timeouts of the libraries, and asks now and then whether it is late.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .errors import LabError

AGAIN_SECONDS = 1  # until it rings once more, should the first alarm have been lost in a clean-up that ignores errors


class _Late(BaseException):
    """Not an `Exception`, or a library that tries again after errors would catch it."""


_open: list[tuple[float, _Late]] = []  # the deadlines of the blocks that are running, the outermost first


@contextmanager
def deadline(seconds: float, said: Callable[[], str]) -> Iterator[Callable[[], None]]:
    """Raise `LabError` with the words of `said` where the block is not over after so many seconds.

    It gives a function that raises it if the time is over: what loops in a thread calls that.
    """
    end = time.monotonic() + seconds

    def check() -> None:
        if time.monotonic() > end:
            raise LabError(said())

    if threading.current_thread() is not threading.main_thread():
        yield check
        return
    late = _Late()
    before = signal.signal(signal.SIGALRM, _ring)
    _open.append((end, late))
    try:
        try:
            _set_alarm()
            yield check
        finally:  # the alarm may ring even here: then the block was over at its very deadline
            signal.setitimer(signal.ITIMER_REAL, 0)
    except _Late as error:
        if error is not late:
            raise
        raise LabError(said()) from None
    finally:
        _open.remove(next(each for each in _open if each[1] is late))
        _set_alarm()
        signal.signal(signal.SIGALRM, before or signal.SIG_DFL)


def _ring(*_: object) -> None:
    for end, late in _open:
        if time.monotonic() >= end:
            raise late
    _set_alarm()


def _set_alarm() -> None:
    """Let the clock ring at the next deadline; at none if no block is running."""
    wait = max(min(end for end, _ in _open) - time.monotonic(), 1e-6) if _open else 0
    signal.setitimer(signal.ITIMER_REAL, wait, AGAIN_SECONDS if wait else 0)
