"""What clients may say, and what they are told when they say something else.

The functions raise ValueError with a sentence that says what is allowed.
"""

import re

from .errors import shown

LONGEST_LATENCY = 60.0  # seconds
LARGEST_LIMIT = 100
LONGEST_USER = 200  # characters


def latency(text: str) -> float:
    """Seconds, 0 to 60, written as a plain decimal number."""
    # float() alone would take "nan", "1_0" and digits of all the world's scripts.
    if re.fullmatch(r"([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", text):
        seconds = float(text)
        if seconds <= LONGEST_LATENCY:
            return seconds
    raise ValueError(f"latency must be a number of seconds from 0 to 60, not {shown(text)}")


def limit(text: str) -> int:
    """How many items a page may have: 1 to 100."""
    if re.fullmatch(r"[0-9]{1,3}", text) and 1 <= int(text) <= LARGEST_LIMIT:
        return int(text)
    raise ValueError(f"limit must be a whole number from 1 to {LARGEST_LIMIT}, not {shown(text)}")


def user(text: str) -> str:
    """Any name of 1 to 200 characters, in any script."""
    if 1 <= len(text) <= LONGEST_USER:
        return text
    raise ValueError(f"the user must have 1 to {LONGEST_USER} characters, not {len(text)}")
