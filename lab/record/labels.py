"""Short names for tasks: what stands on a bar, in a box, or in an x-ray."""

import re
from typing import Any

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # the shape of an id that nobody chose


def label_of(headers: dict[str, Any]) -> str:
    """A short name for a task's bar: its id if somebody chose it, else the last word of a URL, else the task's name."""
    if not UUID.fullmatch(headers["id"]):
        return headers["id"]
    arguments = headers.get("argsrepr") or ""
    if "://" in arguments:
        path = arguments.split("://", 1)[1].split("'")[0].split("?")[0]
        return path.rstrip("/").rsplit("/", 1)[-1]
    return headers["task"].rsplit(".", 1)[-1]
