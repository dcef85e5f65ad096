"""The exercise of notebook 11b, Lost, twice, too large: its check, a hint, and one
solution."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from lab.cells.exercises import hint, in_module
from notebooks.canvas import other_worker
from notebooks.standstill import megabytes, store

SHORT, LONG = 30, 240  # steps
LINE = "checked"


@hint("A step needs to know one step more, and not all of them. Who could send it?")
def check_steps(steps: ModuleType) -> None:
    found = {}
    with other_worker(3, include="steps"):
        for length in (SHORT, LONG):
            found[length] = megabytes(
                lambda length: steps.start(length, LINE), length, LINE
            )
            written = [int(each) for each in store.lrange(LINE, 0, -1)]
            missing = f"{len(written)} numbers of {length} were written"
            assert len(written) == length, missing
            in_order = written == list(range(1, length + 1))
            assert in_order, "the numbers are not in order: the steps overlapped"
            by = store.scard(f"{LINE}:by")
            assert by == length, f"{length} numbers were written by {by} tasks"
    times, most = found[LONG] / found[SHORT], 1.5 * LONG / SHORT
    assert times < most, (
        f"{LONG // SHORT} times the steps cost {times:.1f} times the bytes"
    )


@in_module("steps")
def solve_steps() -> Callable[..., Any]:
    from notebooks.standstill import put
    from tasks import app

    @app.task(ignore_result=True)
    def number(n, line, last):
        put(line, n)
        if n < last:
            number.delay(n + 1, line, last)

    def start(length, line):
        number.delay(1, line, length)

    return start
