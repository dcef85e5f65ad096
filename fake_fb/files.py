"""How many files may be open. Each connection counts as one."""

import math

WANTED_FILES = (65_536, 10_240, 4_096)  # macOS may refuse more than 10,240


def raise_file_limit(choices: tuple[int, ...] = WANTED_FILES) -> None:
    """Let this process, and those it starts, have the first number of files that the system allows.

    The usual soft limit is 256 to 1,024. A higher limit is left as it is.
    """
    try:
        import resource
    except ImportError:  # not a Unix: there is no such limit to raise
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    for wanted in choices:
        allowed = wanted if hard == unlimited else min(wanted, hard)
        if soft == unlimited or soft >= allowed:
            return
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        except (ValueError, OSError):
            continue  # macOS has a second, lower limit it does not tell: try less
        return


def file_limit() -> float:
    """How many files this process may have open; infinity where there is no limit."""
    try:
        import resource
    except ImportError:
        return math.inf
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return math.inf if soft == resource.RLIM_INFINITY else soft
