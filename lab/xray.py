"""An x-ray of Redis: what Celery keeps there at this moment, read from Redis itself.

Where things are (kombu's `transport/redis.py`, Celery's `backends/redis.py`):

- a queue is a list of its name; messages enter on the left and leave on the right. Priorities 3, 6 and 9
  have lists of their own, whose names end in `\\x06\\x16` and the number;
- `_kombu.binding.<exchange>` is the set of queues that an exchange feeds;
- `unacked` is a hash: messages that a worker has taken and not acknowledged;
- `celery-task-meta-<task id>` is the result, and the state, of one task.
"""

import json
import os
from dataclasses import dataclass, field
from typing import Any

import redis

from .charts import ALARM, FAILED, INK, MODEL, RUNNING, WAITING, Picture, finish, new_axes
from .deadline import deadline
from .errors import LabError
from .exercises import shorten
from .recorder import UUID, label_of
from .style import plain

SEPARATOR = "\x06\x16"
BINDING = "_kombu.binding."
RESULT = "celery-task-meta-"
UNACKED = "unacked"
# In the names of keys that serve remote control, events, and the counting of a group's results.
INTERNAL = ("pidbox", "celeryev", "celery-taskset-meta-")
LOOK = 20  # seconds that a look may take; a full queue of a million messages takes a few
SHOWN = 8  # boxes of one place that a picture has room for
LABEL = 24  # characters that fit into a box


@dataclass(frozen=True)
class XRay:
    """What was in Redis: queues by name, with their messages in the order in which they leave."""

    queues: dict[str, list[str]] = field(default_factory=dict)
    unacked: list[str] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)  # task id: state

    def __str__(self) -> str:
        rows = [("queue " + name, messages) for name, messages in self.queues.items()]
        rows += [("unacked", self.unacked), ("results", [f"{id}: {state}" for id, state in self.results.items()])]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:{width}}  {len(items)}  {', '.join(items)}".rstrip() for name, items in rows)

    __repr__ = __str__


def xray(url: str | None = None) -> XRay:
    """Look into the Redis of the notebook, or into the one at `url`, at one moment. Nothing there is changed.

    A message goes by its task id where the id was chosen, and otherwise by its task and arguments.
    Raises `LabError` if no Redis answers.
    """
    address = url or os.environ.get("REDIS_URL", "")
    advice = "is the server there started?" if url else "run lab.start() first."
    late = f"Redis can't be looked into (it does not answer): {advice}"
    try:
        with (
            deadline(LOOK, lambda: late),
            redis.Redis.from_url(
                address, socket_timeout=5, socket_connect_timeout=5, decode_responses=True, encoding_errors="replace"
            ) as client,
        ):
            return _look(client)
    except (redis.RedisError, ValueError) as error:
        raise LabError(f"Redis can't be looked into ({type(error).__name__}): {advice}") from None


def _look(client: redis.Redis) -> XRay:
    """Which keys there are is asked first. What they hold is read in one transaction: a message that moves
    from one place to another meanwhile is seen once, not twice."""
    bindings, results, lists = (
        sorted(key for key in set(keys) if not any(word in key for word in INTERNAL))
        for keys in (
            client.scan_iter(f"{BINDING}*", count=1000, _type="set"),
            client.scan_iter(f"{RESULT}*", count=1000, _type="string"),
            client.scan_iter(count=1000, _type="list"),
        )
    )
    with client.pipeline(transaction=True) as moment:
        for key in bindings:
            moment.smembers(key)
        for key in results:
            moment.get(key)
        for key in lists:
            moment.lrange(key, 0, -1)
        *answers, taken = moment.hvals(UNACKED).execute()
    found = dict(zip([*bindings, *results, *lists], answers, strict=True))

    # A queue with a binding exists, even with nothing in it.
    queues: dict[str, list[str]] = {member.split(SEPARATOR)[-1]: [] for key in bindings for member in found[key]}
    queues |= {_queue(key): [_label(message) for message in reversed(found[key])] for key in lists if found[key]}
    states = {key.removeprefix(RESULT): _state(found[key]) for key in results if found[key]}
    return XRay(dict(sorted(queues.items())), sorted(_label(_message(entry)) for entry in taken), states)


def _queue(key: str) -> str:
    """The name of a queue's list, with the priority said in words."""
    name, _, priority = key.partition(SEPARATOR)
    return f"{name} (priority {priority})" if priority else name


def _message(entry: str) -> Any:
    """The message in an entry of `unacked`, which kombu stores with the exchange and routing key it came by."""
    try:
        return json.loads(entry)[0]
    except (ValueError, LookupError, TypeError):
        return entry


def _state(result: str) -> str:
    try:
        return str(json.loads(result)["status"])
    except (ValueError, KeyError, TypeError):
        return "unreadable"


def _label(message: Any) -> str:
    """The task id if somebody chose it; else the task and its arguments; else the beginning of the message."""
    try:
        headers = (json.loads(message) if isinstance(message, str) else message)["headers"]
        task, id, arguments = headers["task"].rpartition(".")[2], headers["id"], headers.get("argsrepr") or ""
        chosen = not UUID.fullmatch(id)
    except (ValueError, KeyError, TypeError, AttributeError):
        return shorten(str(message), 40)
    if chosen:
        return id
    if "://" in arguments:  # an address is long, and its port another one in every run
        return f"{task} {label_of(headers)}"
    return shorten(f"{task}({arguments.strip('()[]').rstrip(',')})", 40)


@plain
def draw_xrays(moments: dict[str, XRay], *, title: str) -> Picture:
    """The same Redis at several moments, side by side: what waits, what is taken, which results are there."""
    rows = _rows(moments)
    heights = {row: max([1, *(len(_boxes(xray, row)) for xray in moments.values())]) for row in rows}
    figure, axes = new_axes(0.26 * (sum(heights.values()) + 0.35 * len(rows)) + 0.9, title, "")
    axes.axis("off")
    axes.set_title(title, loc="left", fontsize=12, color=INK, pad=24)
    y = 0.0
    for row in rows:
        axes.text(-0.04, y + heights[row] / 2, row, ha="right", va="center", fontsize=9, color=INK)
        for column, xray in enumerate(moments.values()):
            boxes = _boxes(xray, row)
            for number, (text, colours) in enumerate(boxes):
                _draw_box(axes, column, y + number, text, *colours)
            if not boxes:
                axes.text(column + 0.47, y + 0.52, "–", ha="center", va="center", fontsize=9, color=MODEL)
        y += heights[row] + 0.35
        axes.axhline(y - 0.17, color="#DDDDDD", linewidth=0.8)
    for column, name in enumerate(moments):
        axes.text(column + 0.47, -0.35, name, ha="center", va="bottom", fontsize=10, weight="bold", color=INK)
    axes.set(xlim=(0, len(moments)), ylim=(y, -0.5))
    said = [f"{name}: " + "; ".join(str(xray).split("\n")) for name, xray in moments.items()]
    return finish(figure, "\n".join([title, *said]))


def _rows(moments: dict[str, XRay]) -> list[str]:
    names = dict.fromkeys(name for xray in moments.values() for name in xray.queues)
    return [*(f"queue {name}" for name in names), "unacked", "results"]


def _boxes(xray: XRay, row: str) -> list[tuple[str, tuple[str, str]]]:
    """Text and colours (face, ink) of each box in one row: pale waits, solid is taken, white is stored."""
    if row == "results":
        boxes = [
            (f"{id[:8] + '…' if UUID.fullmatch(id) else id}: {state}", (FAILED if state in ALARM else "white", INK))
            for id, state in xray.results.items()
        ]
    elif row == "unacked":
        boxes = [(text, (RUNNING, "white")) for text in xray.unacked]
    else:
        boxes = [(text, (WAITING, INK)) for text in xray.queues.get(row.removeprefix("queue "), [])]
    hidden = len(boxes) - SHOWN
    return boxes if hidden <= 0 else [*boxes[: SHOWN - 1], (f"… and {hidden + 1} more", ("white", INK))]


def _draw_box(axes: Any, column: int, y: float, text: str, face: str, ink: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    axes.add_patch(
        FancyBboxPatch(
            (column + 0.05, y + 0.1), 0.84, 0.8,
            boxstyle="round,pad=0,rounding_size=0.03", mutation_aspect=8, facecolor=face, edgecolor=INK, linewidth=0.6,
        )
    )  # fmt: skip
    axes.text(column + 0.47, y + 0.52, shorten(text, LABEL), ha="center", va="center", fontsize=8, color=ink)
