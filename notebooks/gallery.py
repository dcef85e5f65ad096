"""The photo site's tasks in notebook 02, Serialization, and the values that it sends.

A worker knows the tasks with `--include notebooks.gallery`.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any
from uuid import UUID

from kombu.exceptions import DecodeError, EncodeError
from kombu.serialization import dumps, loads

from tasks import app, fetch_url


@app.task
def echo(value):
    """What arrived, in Python's own words."""
    return repr(value)


@app.task
def titles(url):
    """The titles of the photos at this URL, each once."""
    return {photo["name"] for photo in fetch_url(url)["data"]}


class TooLarge(Exception):
    def __init__(self, photo, megabytes):
        super().__init__(f"{photo} has {megabytes} MB")
        self.megabytes = megabytes


class TooSmall(Exception):
    def __init__(self, photo, megabytes):
        super().__init__(photo, megabytes)
        self.megabytes = megabytes


@app.task
def check_size(photo, megabytes):
    """Refuse a photo, whatever its size."""
    raise (TooLarge if megabytes > 20 else TooSmall)(photo, megabytes)


@app.task
def show(title):
    """Show a photo whose title is in the message."""
    return f"Now showing: {title}"


@app.task
def show_by_id(number):
    """Show a photo whose title is in the database, here a hash in Redis."""
    title = app.backend.client.hget(f"photo:{number}", "title")
    return f"Now showing: {title.decode()}"


@dataclass
class Photo:
    title: str


Light = Enum("Light", "DAY NIGHT")
Mood = StrEnum("Mood", "SUNNY RAINY")

#: One of each of the types that a program likes to send.
VALUES = {
    "number": 7,
    "not a number": float("nan"),
    "text": "Brook End",
    "None": None,
    "list": [1, 2],
    "tuple": (1, 2),
    "dict": {"ada": 1},
    "dict, int keys": {1: "ada"},
    "datetime": datetime(2026, 1, 31, 9, tzinfo=UTC),
    "date": date(2026, 1, 31),
    "timedelta": timedelta(hours=2),
    "UUID": UUID(int=7),
    "Decimal": Decimal("0.10"),
    "bytes": b"\x89PNG",
    "StrEnum": Mood.RAINY,
    "Enum": Light.NIGHT,
    "set": {1, 2},
    "function": len,
    "own class": Photo("Sunset"),
}


def fate(value: Any, serializer: str) -> str:
    """What happens to a value in this format: "same", "CHANGED", "refused" by the
    sender, or "UNREADABLE" for a receiver that accepts the format.

    It does what the sender and the receiver of a message do, without Redis.
    """
    try:
        content_type, encoding, data = dumps(value, serializer=serializer)
    except EncodeError:
        return "refused"
    try:
        back = loads(data, content_type, encoding, accept={content_type})
    except DecodeError:
        return "UNREADABLE"
    return "same" if repr(back) == repr(value) else "CHANGED"


def fates(*serializers: str) -> str:
    """A table of what happens to the `VALUES` in these formats. Values that all of them
    carry unchanged are left out."""
    lines = [["", *serializers]]
    for name, value in VALUES.items():
        line = [fate(value, serializer) for serializer in serializers]
        if set(line) != {"same"}:
            lines.append([name, *line])
    return "\n".join("".join(f"{cell:15}" for cell in line).rstrip() for line in lines)
