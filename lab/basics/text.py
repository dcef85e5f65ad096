"""Words for labels and outputs: text that is cut or folded to fit, seconds with the digits that matter."""

import textwrap

COLUMNS = 88  # what fits beside JupyterLab's sidebar, in the book and on GitHub


def shorten(text: str, length: int) -> str:
    """The text on one line, cut where it is longer than `length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def in_seconds(wait: float) -> str:
    """A wait in words; short ones have the digits that tell them from nothing."""
    return f"{wait:.2f} s" if wait >= 0.1 else f"{wait:.3f} s"


def wrapped(text: str) -> str:
    """The lines of the text, folded between words where they are too long, with a hanging indent."""
    fold = textwrap.TextWrapper(COLUMNS, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    return "\n".join(fold.fill(line) for line in text.splitlines())
