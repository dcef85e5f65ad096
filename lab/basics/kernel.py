"""The kernel in which the notebook runs: whether this is one, and whether somebody's settings are in its way.

Kernels that the course starts know none of the reader's settings. One that somebody else started has them: with some
of them a wrong answer would pass for right, or a cell would show what is not the notebook's.
"""

import logging
import sys
import warnings
from typing import Any

from .errors import LabError

RESTART = "and start the kernel, and what started it, anew."


def is_notebook() -> bool:
    """Whether this code runs in a kernel, where there is somebody to look at pictures."""
    return getattr(get_shell(), "kernel", None) is not None


def check_kernel() -> None:
    """Raise `LabError` where a setting is in the way of every notebook: it says which, and what to do."""
    if sys.flags.optimize:
        raise LabError(f"Python leaves out every assert here, and nothing is checked: unset PYTHONOPTIMIZE {RESTART}")
    if _warnings_are_errors():
        raise LabError(
            f"Every warning is an error here, inside Celery too: unset PYTHONWARNINGS, or leave out -W error, {RESTART}"
        )
    if getattr(get_shell(), "ast_node_interactivity", "last_expr") != "last_expr":
        raise LabError(
            "IPython shows other values than a cell's last here: take ast_node_interactivity out of its configuration "
            f"(ipython locate profile tells where that is) {RESTART}"
        )
    for name in (None, "celery", "kombu", "urllib3", "matplotlib"):
        logger = logging.getLogger(name)
        if logger.hasHandlers() and logger.getEffectiveLevel() < logging.WARNING:
            level = logging.getLevelName(logger.getEffectiveLevel())
            raise LabError(
                f"The logger {logger.name} writes every {level} message into the cells here: take that out of what "
                f"configures logging at the start, or run logging.getLogger({name or ''!r}).setLevel(logging.WARNING)."
            )


def import_matplotlib() -> None:
    """Import what every picture needs. Raises `LabError` where a setting keeps it from being imported."""
    try:
        import matplotlib.figure  # noqa: F401
    except ValueError as error:  # as it is imported it looks for the backend that a variable names
        raise LabError(f"matplotlib can't be imported here ({error}): unset MPLBACKEND {RESTART}") from None


def _warnings_are_errors() -> bool:
    """Whether a warning that a library may give at any time would be raised."""
    for kind in (UserWarning, DeprecationWarning, PendingDeprecationWarning, FutureWarning, RuntimeWarning):
        with warnings.catch_warnings(record=True):
            try:
                warnings.warn_explicit("a trial", kind, "lab.py", 1, module="celery.app.lab", registry={})
            except kind:
                return True
    return False


def get_shell() -> Any:
    """IPython's shell; None where there is none."""
    ipython = sys.modules.get("IPython")  # not imported: not a kernel
    return ipython and ipython.get_ipython()
