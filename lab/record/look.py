"""`lab.xray`: looks into Redis. What Celery keeps there at this moment is read from Redis itself.

Where things are (kombu's `transport/redis.py`, Celery's `backends/redis.py`):

- a queue is a list of its name; messages enter on the left and leave on the right. Priorities 3, 6 and 9
  have lists of their own, whose names end in `\\x06\\x16` and the number;
- `_kombu.binding.<exchange>` is the set of queues that an exchange feeds;
- `unacked` is a hash: messages that a worker has taken and not acknowledged;
- `celery-task-meta-<task id>` is the result, and the state, of one task.
"""

import json
import os
from typing import Any

import redis

from ..basics.deadline import deadline
from ..basics.errors import LabError
from ..basics.text import shorten
from .labels import UUID, label_of
from .xray import XRay

SEPARATOR = "\x06\x16"
BINDING = "_kombu.binding."
RESULT = "celery-task-meta-"
UNACKED = "unacked"
# In the names of keys that serve remote control, events, and the counting of a group's results.
INTERNAL = ("pidbox", "celeryev", "celery-taskset-meta-")
LOOK_SECONDS = 20  # for one look; a full queue of a million messages takes a few
LABEL_CHARACTERS = 40


def xray(url: str | None = None) -> XRay:
    """Look into the Redis of the notebook, or into another, at one moment. Nothing there is changed.

    url: the address of that other Redis, such as `lab.redis_server().url` (default None: the notebook's)

    A message goes by its task id where the id was chosen, and otherwise by its task and arguments.
    Raises `LabError` if no Redis answers.
    """
    address = url or os.environ.get("REDIS_URL", "")
    advice = "is the server there started?" if url else "run lab.start() first."
    late = f"Redis can't be looked into (it does not answer): {advice}"
    try:
        with (
            deadline(LOOK_SECONDS, lambda: late),
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
    bindings = _keys(client, "set", f"{BINDING}*")
    results = _keys(client, "string", f"{RESULT}*")
    lists = _keys(client, "list", "*")
    with client.pipeline(transaction=True) as moment:
        for key in bindings:
            moment.smembers(key)
        for key in results:
            moment.get(key)
        for key in lists:
            moment.lrange(key, 0, -1)
        moment.hvals(UNACKED)
        *answers, taken = moment.execute()
    found = dict(zip([*bindings, *results, *lists], answers, strict=True))

    # A queue with a binding exists, even with nothing in it.
    queues: dict[str, list[str]] = {member.split(SEPARATOR)[-1]: [] for key in bindings for member in found[key]}
    queues |= {_queue(key): [_label(message) for message in reversed(found[key])] for key in lists if found[key]}
    states = {key.removeprefix(RESULT): _state(found[key]) for key in results if found[key]}
    return XRay(dict(sorted(queues.items())), sorted(_label(_message(entry)) for entry in taken), states)


def _keys(client: redis.Redis, kind: str, pattern: str) -> list[str]:
    """The keys of one kind that match the pattern, without those that Celery needs for itself."""
    keys = set(client.scan_iter(pattern, count=1000, _type=kind))  # a scan may give one twice
    return sorted(key for key in keys if not any(word in key for word in INTERNAL))


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
        return shorten(str(message), LABEL_CHARACTERS)
    if chosen:
        return id
    if "://" in arguments:  # an address is long, and its port another one in every run
        return f"{task} {label_of(headers)}"
    return shorten(f"{task}({arguments.strip('()[]').rstrip(',')})", LABEL_CHARACTERS)
