"""The made-up timelines: everything about a user follows from the user's name.

Items have the Graph API's fields (https://developers.facebook.com/docs/graph-api/reference); shapes.py nests
them as it does. Dates are ISO 8601 in UTC, counted back from a fixed day, so that a timeline never changes. Image
addresses are paths on this server ("/photos/..."), and likes are a number.
"""

import re
from base64 import urlsafe_b64encode
from datetime import date, timedelta
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple
from urllib.parse import quote

from . import photos, texts
from .dice import Dice

Item = dict[str, Any]

PLACES_AND_PAGES = tuple(product(texts.PLACES, texts.PAGES))

# Every timeline ends shortly before the first of these days, and goes back from there.
DAYS = tuple((date(2026, 5, 31) - timedelta(days=back)).isoformat() for back in range(366))


class Ends(NamedTuple):
    """The two ends of a page: the cursors there, and whether the edge has more items in front and behind."""

    before: str
    after: str
    has_previous: bool
    has_next: bool


def page(
    user: str, edge: str, limit: int, after: str | None = None, before: str | None = None
) -> tuple[tuple[Item, ...], Ends]:
    """A page: at most ``limit`` items, those right after the cursor ``after``, those right before the cursor
    ``before``, or the newest. Only one of the cursors may be given.

    The items are shared: do not change them. KeyError: this edge of this user has no such cursor.
    """
    items = timeline(user, edge)
    if before is None:
        start = 0 if after is None else _positions(user, edge)[after] + 1
        stop = start + limit
    else:
        stop = max(0, _positions(user, edge)[before])
        start = max(0, stop - limit)
    chosen = items[start:stop]
    if chosen:
        cursors = cursor(chosen[0]["id"]), cursor(chosen[-1]["id"])
    else:
        cursors = (BEHIND_ALL, BEHIND_ALL) if start else (IN_FRONT_OF_ALL, IN_FRONT_OF_ALL)
    return chosen, Ends(*cursors, has_previous=start > 0, has_next=stop < len(items))


def cursor(item_id: str) -> str:
    """The opaque string that marks an item's place: its id, made unreadable."""
    return urlsafe_b64encode(item_id.encode("ascii")).decode("ascii")


# An empty page has no items, and so no cursors of items. It lies at one end of the edge: from there you go on to
# the first items, or back to the last.
IN_FRONT_OF_ALL, BEHIND_ALL = cursor("newest"), cursor("oldest")


def has(user: str, edge: str, item_id: str) -> bool:
    """Whether this edge of this user holds an item with this id."""
    return any(item["id"] == item_id for item in timeline(user, edge))


@lru_cache(maxsize=512)
def timeline(user: str, edge: str) -> tuple[Item, ...]:
    """All 30 to 60 items of an edge, newest first. They are shared: do not change them.

    KeyError: no such edge.
    """
    make = MAKERS[edge]
    dice = Dice(user, edge)
    return tuple(make(user, dice, dice.between(30, 60)))


@lru_cache(maxsize=512)
def _positions(user: str, edge: str) -> dict[str, int]:
    items = timeline(user, edge)
    ends = {IN_FRONT_OF_ALL: -1, BEHIND_ALL: len(items)}
    return ends | {cursor(item["id"]): position for position, item in enumerate(items)}


def full_name(user: str) -> str:
    """A name to show: "anna.k_weber" is "Anna K Weber". Only ASCII letters are raised, since what
    ``str.upper`` does with others depends on the Unicode version of the Python that runs."""
    words = [word for word in re.split(r"[._\- ]+", user) if word]
    raised = (re.sub(r"^[a-z]", lambda first: first[0].upper(), word) for word in words)
    return " ".join(raised) or user


def _posts(user: str, dice: Dice, count: int) -> list[Item]:
    author = {"id": _new_id(Dice(user)), "name": full_name(user)}
    messages = _spread(dice, texts.POSTS, count)
    return [
        {
            "id": f"{author['id']}_{_new_id(dice)}",
            "message": _fill(dice, message),
            "created_time": created,
            "from": author,
            "likes": _like_count(dice),
        }
        for message, created in zip(messages, _days_back(dice, count), strict=True)
    ]


def _photos(user: str, dice: Dice, count: int) -> list[Item]:
    folder = f"/photos/{quote(user, safe='')}"
    return [_photo(folder, dice, created) for created in _days_back(dice, count)]


def _photo(folder: str, dice: Dice, created: str) -> Item:
    photo_id = _new_id(dice)
    return {
        "id": photo_id,
        "name": _fill(dice, dice.pick(texts.CAPTIONS[photos.mood(photo_id)])),
        "created_time": created,
        "width": photos.WIDTH,
        "height": photos.HEIGHT,
        "source": f"{folder}/{photo_id}.png",
        "likes": _like_count(dice),
    }


def _likes(_user: str, dice: Dice, count: int) -> list[Item]:
    pages = _spread(dice, PLACES_AND_PAGES, count)
    return [
        {"id": _new_id(dice), "name": f"{place} {name}", "category": category, "created_time": created}
        for (place, (name, category)), created in zip(pages, _days_back(dice, count), strict=True)
    ]


def _friends(user: str, dice: Dice, count: int) -> list[Item]:
    folder = f"/friends/{quote(user, safe='')}"
    return [_friend(folder, dice, name) for name in _spread(dice, texts.FIRST_NAMES, count)]


def _friend(folder: str, dice: Dice, first_name: str) -> Item:
    friend_id = _new_id(dice)
    return {
        "id": friend_id,
        "name": f"{first_name} {dice.pick(texts.LAST_NAMES)}",
        "picture": f"{folder}/{friend_id}.png",
    }


def _events(_user: str, dice: Dice, count: int) -> list[Item]:
    names = _spread(dice, texts.EVENTS, count)
    return [
        {
            "id": _new_id(dice),
            "name": _title(_fill(dice, name)),
            "start_time": start,
            "place": {"name": _fill(dice, dice.pick(texts.VENUES))},
            "rsvp_status": dice.pick(texts.RSVPS),
        }
        for name, start in zip(names, _days_back(dice, count, seconds=(0, 900, 1800, 2700)), strict=True)
    ]


MAKERS = {"photos": _photos, "posts": _posts, "likes": _likes, "friends": _friends, "events": _events}
EDGES = tuple(MAKERS)


def _new_id(dice: Dice) -> str:
    """A number of 15 digits as a string, as Facebook's ids are."""
    return str(dice.between(10**14, 10**15 - 1))


def _like_count(dice: Dice) -> int:
    return dice.below(dice.between(1, 180))


def _spread(dice: Dice, choices: Any, count: int) -> list[Any]:
    """``count`` of the choices; no choice is repeated before all have been used once."""
    result: list[Any] = []
    while len(result) < count:
        result += dice.sample(choices, min(count - len(result), len(choices)))
    return result


def _days_back(dice: Dice, count: int, seconds: Any = range(3600)) -> list[str]:
    """``count`` moments, newest first: every one on a day of its own, between 7:00 and 22:00."""
    moments, day = [], 0
    for _ in range(count):
        day += dice.between(1, 4)
        minute, second = divmod(dice.pick(seconds), 60)
        moments.append(f"{DAYS[day]}T{dice.between(7, 21):02}:{minute:02}:{second:02}+0000")
    return moments


def _fill(dice: Dice, template: str) -> str:
    return re.sub(r"{(\w+)}", lambda word: dice.pick(texts.WORDS[word[1]]), template)


def _title(name: str) -> str:
    """A dish after a colon starts with a capital letter: "Cooking Together: Rye bread"."""
    head, colon, tail = name.partition(": ")
    return head + colon + tail[:1].upper() + tail[1:]
