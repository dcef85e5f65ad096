"""Interrupts of a cell, put off where half a step would leave something behind."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def interrupts_later() -> Iterator[None]:
    """Let the block come to its end, and an interrupt that came meanwhile take effect then. In the main thread, where
    interrupts arrive; the block must be one that ends soon."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    noted = []
    before = signal.signal(signal.SIGINT, lambda *_: noted.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)
    if noted and callable(before):
        before(signal.SIGINT, None)


@contextlib.contextmanager
def undone_on_failure(undo: Callable[[], object]) -> Iterator[None]:
    """Call `undo`, which no interrupt disturbs, where something leaves the block early: an error or an interrupt."""
    try:
        yield
    except BaseException:
        with interrupts_later():
            undo()
        raise
