"""`lab.draw_message`: one message of a queue in Redis, taken apart."""

import base64
import json
from typing import Any

from ..basics.errors import LabError
from ..basics.text import shorten
from .boxes import draw_arrow, draw_frame
from .picture import Picture, finish, new_axes
from .style import INK, MODEL, WAITING, plain

MONO: dict[str, Any] = {"family": "monospace", "fontsize": 9, "color": INK, "va": "center"}
BODY = ("args", "kwargs", "embed")
GAP = "   "  # between two things in one field


@plain
def draw_message(raw: str, *, title: str) -> Picture:
    """A task message, as it is in Redis, taken apart: its fields, and below them what is packed into its body.

    raw:   the message as text, such as `store.lindex("celery", 0)`
    title: stands above the picture

    Raises `LabError` for a text that is no task message, or one whose body is not JSON.
    """
    fields, parts = _apart(raw)
    figure, axes = new_axes(3.7, title, "")
    axes.set(xlim=(0, 16), ylim=(7.5, -0.1))
    axes.axis("off")
    draw_frame(axes, (0.1, 0.1), (15.8, 4.3), "white")
    for row, (name, (text, purpose)) in enumerate(fields.items()):
        y = 0.7 + row * 1.05
        axes.text(0.5, y, name, fontsize=10, weight="bold", color=INK, va="center")
        axes.text(2.9, y - 0.2, text, **MONO)
        axes.text(2.9, y + 0.27, purpose, fontsize=8, color=MODEL, va="center")
    draw_arrow(axes, (8, 4.4), (8, 5.8))
    axes.text(8.3, 5.05, "base64, then JSON", fontsize=9.5, color=INK, va="center")
    for column, (name, (text, purpose)) in enumerate(zip(BODY, parts, strict=True)):
        x = 0.1 + column * 5.35
        draw_frame(axes, (x, 5.8), (5.1, 1.6), WAITING)
        axes.text(x + 0.3, 6.15, name, fontsize=10, weight="bold", color=INK, va="center")
        axes.text(x + 0.3, 6.62, text, **MONO)
        axes.text(x + 0.3, 7.08, purpose, fontsize=8, color=INK, va="center")
    words = "; ".join(
        [f"{name}: {text.replace(GAP, ', ')}" for name, (text, _) in fields.items()]
        + [f"{name} {text}" for name, (text, _) in zip(BODY, parts, strict=True)]
    )
    return finish(figure, f"{title}\n{words}")


def _apart(raw: str) -> tuple[dict[str, tuple[str, str]], list[tuple[str, str]]]:
    """What is shown of the message, and of the three parts of its body: a text and its purpose each."""
    try:
        message = json.loads(raw)
        headers, properties = message["headers"], message["properties"]
        fields = {
            "headers": (
                GAP.join([f"task {headers['task']}", f"id {headers['id']}", f"+ {len(headers) - 2} more"]),
                "which function, which call; what else the worker must know before it opens the body",
            ),
            "properties": (
                f"queue {properties['delivery_info']['routing_key']}{GAP}body_encoding {properties['body_encoding']}",
                "for the transport: which queue it travels through, and how the body became text",
            ),
            "content-type": (message["content-type"], "the format of the body"),
            "body": (shorten(message["body"], 58), "the arguments"),
        }
        args, kwargs, embed = json.loads(base64.b64decode(message["body"]))
    except (ValueError, KeyError, TypeError) as error:
        raise LabError(
            f"This is not a task message with a body in JSON ({type(error).__name__}). draw_message takes one as it "
            "is in Redis: store.lindex('celery', 0)."
        ) from None
    return fields, [
        (shorten(json.dumps(args), 26), "by position"),
        (shorten(json.dumps(kwargs), 26), "by name"),
        (shorten(json.dumps(embed), 26), "what happens next"),
    ]
