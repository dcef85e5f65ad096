"""An interrupted cell says so in one line."""

import traceback
from types import TracebackType
from typing import Any

from ..basics.kernel import get_shell


def shorten_interrupts() -> None:
    """From now on, let an interrupted cell show one line, where Celery and redis would add a hundred of their own."""
    if shell := get_shell():
        shell.set_custom_exc((KeyboardInterrupt,), _interrupted)


def _interrupted(
    shell: Any,
    kind: type,
    error: BaseException,
    where: TracebackType,
    tb_offset: None,  # noqa: ARG001 (IPython passes it by this name)
) -> None:
    """Show an error in its own words, as `LabError` has them."""
    in_a_cell = shell.compile.format_code_name  # None where the code stands in a file
    lines = [line for frame, line in traceback.walk_tb(where) if in_a_cell(frame.f_code.co_filename)]
    words = f"KeyboardInterrupt: the cell was stopped{f' in its line {lines[0]}' if lines else ''}"
    error._render_traceback_ = lambda: [words]  # type: ignore[attr-defined]  # IPython asks for it
    shell.showtraceback((kind, error, where))
