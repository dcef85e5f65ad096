"""Words for labels: text that is cut to fit, seconds with the digits that matter."""


def shorten(text: str, length: int) -> str:
    """The text on one line, cut where it is longer than `length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def in_seconds(wait: float) -> str:
    """A wait in words; short ones have the digits that tell them from nothing."""
    return f"{wait:.2f} s" if wait >= 0.1 else f"{wait:.3f} s"
