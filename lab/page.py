"""The timeline as a page: what the five answers are for."""

import base64
import html
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from .services import current

Item = dict[str, Any]
SHOWN = {"photos": 4, "posts": 3, "likes": 5, "friends": 6, "events": 3}
INK, MUTED = "color: #1c1e21", "color: #666"
CARD = "border: 1px solid #d8dce2; border-radius: 8px; padding: 8px 12px; margin: 0 0 10px; background: white"


class Page:
    """A page that a notebook shows: HTML, and a few words for those who can't see it."""

    def __init__(self, source: str, words: str) -> None:
        self._source, self._words = source, words

    def _repr_html_(self) -> str:
        return self._source

    def __repr__(self) -> str:
        return self._words


def timeline_page(user: str, answers: Mapping[str, Any]) -> Page:
    """The user's timeline from the answers of the edges; None in the place of an answer leaves a gap.

    `answers` maps an edge's name to the JSON that the server answered: `{"photos": {"data": […]}, …}`.
    """
    cards = {edge: _card(edge, answers.get(edge)) for edge in SHOWN}
    source = (
        f'<div style="max-width: 780px; background: #f0f2f5; {INK}; padding: 14px; '
        'border-radius: 8px; font: 13px/1.4 sans-serif">'
        f'<div style="font-size: 22px; font-weight: bold; margin: 0 0 10px">{html.escape(user)}</div>'
        # JupyterLab gives a table's text the colour that suits its own background, and takes no "inherit" from a stored
        # page. GitHub shows the table without any style.
        f'<table style="display: block; {INK}"><tbody style="display: block">'
        '<tr style="display: flex; flex-wrap: wrap; background: none">'
        f"{_column(cards['photos'] + cards['posts'], 62)}"
        f"{_column(cards['friends'] + cards['events'] + cards['likes'], 38)}"
        "</tr></tbody></table></div>"
    )
    return Page(source, f"The timeline of {user}: " + ", ".join(_in_words(e, answers.get(e)) for e in SHOWN))


def _in_words(edge: str, answer: Any) -> str:
    return f"{len(answer['data'])} {edge}" if answer else f"no {edge}"


def _column(cards: str, width: int) -> str:
    return (
        f'<td style="flex: {width}; min-width: 220px; box-sizing: border-box; text-align: left; padding: 0 6px; '
        f'background: #f0f2f5; white-space: normal">{cards}</td>'
    )


def _card(edge: str, answer: Any) -> str:
    title = f"<b>{edge.capitalize()}</b>"
    if not answer:
        return f'<div style="{CARD}; border: 1px dashed #D55E00">{title}<br>could not be loaded</div>'
    body = "".join(ITEMS[edge](item) for item in answer["data"][: SHOWN[edge]])
    return f'<div style="{CARD}">{title}<div>{body}</div></div>'


def _photo(photo: Item) -> str:
    caption = html.escape(photo["name"])
    return (
        '<div style="display: inline-block; width: 46%; margin: 4px 2% 4px 0; vertical-align: top">'
        f'<img src="{_picture(photo["source"])}" alt="{caption}" style="width: 100%; border-radius: 4px">'
        f'<div>{caption}</div><div style="{MUTED}">{_likes_and_day(photo)}</div></div>'
    )


def _post(post: Item) -> str:
    return (
        f'<div style="margin: 6px 0">{html.escape(post["message"])}'
        f'<div style="{MUTED}">{_likes_and_day(post)}</div></div>'
    )


def _like(page: Item) -> str:
    return _line(page["name"], page["category"])


def _event(event: Item) -> str:
    return _line(event["name"], f"{event['start_time'][:10]}, {event['place']['name']}")


def _friend(friend: Item) -> str:
    name, picture = html.escape(friend["name"]), friend["picture"]["data"]["url"]
    return (
        '<div style="display: inline-block; width: 30%; margin: 4px 1%; text-align: center; vertical-align: top">'
        f'<img src="{_picture(picture)}" alt="" style="width: 44px; border-radius: 50%"><br>{name}</div>'
    )


def _line(name: str, detail: str) -> str:
    return f'<div style="margin: 6px 0">{html.escape(name)}<div style="{MUTED}">{html.escape(detail)}</div></div>'


def _likes_and_day(item: Item) -> str:
    return f"{item['likes']['summary']['total_count']} likes, {item['created_time'][:10]}"


ITEMS: dict[str, Callable[[Item], str]] = {
    "photos": _photo,
    "posts": _post,
    "likes": _like,
    "friends": _friend,
    "events": _event,
}


def _picture(url: str) -> str:
    """The image itself inside the page, which then needs no server to be read later."""
    # The path alone: the worker that read the address may know the server under another name than we do.
    return "data:image/png;base64," + base64.b64encode(current().fb.picture(urlsplit(url).path)).decode()
