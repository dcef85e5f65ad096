"""What clients may send.

For anything else, the functions raise ValueError with a sentence that says what is allowed.
"""

import json
import re
from typing import Any, NoReturn

from .errors import shown

LONGEST_LATENCY_SECONDS = 60.0
LARGEST_LIMIT_ITEMS = 100
LONGEST_USER_CHARACTERS = 200


def latency(text: str) -> float:
    """Seconds, 0 to 60, written as a plain decimal number."""
    # float() alone would accept "nan", "1_0" and the digits of every script.
    if re.fullmatch(r"([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", text):
        seconds = float(text)
        if seconds <= LONGEST_LATENCY_SECONDS:
            return seconds
    raise ValueError(f"latency must be a number of seconds from 0 to 60, not {shown(text)}")


def limit(text: str) -> int:
    """How many items a page may have: 1 to 100."""
    if re.fullmatch(r"[0-9]{1,3}", text) and 1 <= int(text) <= LARGEST_LIMIT_ITEMS:
        return int(text)
    raise ValueError(f"limit must be a whole number from 1 to {LARGEST_LIMIT_ITEMS}, not {shown(text)}")


def user(text: str) -> str:
    """Any name of 1 to 200 characters, in any script."""
    if 1 <= len(text) <= LONGEST_USER_CHARACTERS:
        return text
    raise ValueError(f"the user must have 1 to {LONGEST_USER_CHARACTERS} characters, not {len(text)}")


def json_object(body: bytes, *, example: str) -> dict[str, Any]:
    """A request's body, which must be a JSON object, like the example."""
    try:
        value = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):  # the latter: brackets nested too deep
        value = None
    if isinstance(value, dict):
        return value
    raise ValueError(f"the body must be a JSON object, such as {example}")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def down(body: bytes) -> bool:
    """What `{"down": true}` asks for."""
    example = '{"down": true}'
    match json_object(body, example=example):
        case {"down": bool(wish), **rest} if not rest:
            return wish
    raise ValueError(f"down must be true or false, and nothing else be asked for, as in {example}")
