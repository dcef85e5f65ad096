"""A user's timeline as a page, from the template beside this file: what the five answers are for."""

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).with_name("timeline.html.j2")
MOST_ITEMS = {"photos": 4, "posts": 3, "likes": 5, "friends": 6, "events": 3}


class TimelinePage:
    """A page that a notebook shows: HTML, and a few words for those who can't see it."""

    def __init__(self, source: str, words: str) -> None:
        self._source, self._words = source, words

    def _repr_html_(self) -> str:
        return self._source

    def __repr__(self) -> str:
        return self._words


def draw_timeline(user: str, answers: Mapping[str, Any], load: Callable[[str], bytes]) -> TimelinePage:
    """The page of a user from the answers of the edges; `load` gives the PNG at an address.

    The images become a part of the page, which then needs no server to be read later.
    """
    from jinja2 import Environment, StrictUndefined  # as slow to import as it is rarely needed

    def picture(address: str) -> str:
        return "data:image/png;base64," + base64.b64encode(load(address)).decode()

    # What stands on lines of its own in the template is one line in the page: a space more would be a gap to be seen.
    source = "".join(line.strip() for line in TEMPLATE.read_text(encoding="utf-8").splitlines())
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(source)
    items = {edge: answers[edge]["data"][:most] if answers.get(edge) else None for edge, most in MOST_ITEMS.items()}
    page = template.render(user=user, items=items, picture=picture)
    page = page.replace("&#39;", "&#x27;")  # as the notebooks have it stored
    words = ", ".join(_in_words(edge, answers.get(edge)) for edge in MOST_ITEMS)
    return TimelinePage(page, f"The timeline of {user}: {words}")


def _in_words(edge: str, answer: Any) -> str:
    return f"{len(answer['data'])} {edge}" if answer else f"no {edge}"
