"""The exercises of notebook 02, Serialization: for each its check, a hint, and one
solution."""

import base64
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import lab
from lab.cells.exercises import hint, in_module
from tasks import app


def _clear(*task_ids: str) -> None:
    """Empty the queue, and forget the results of these tasks."""
    app.control.purge()
    for task_id in task_ids:
        app.AsyncResult(task_id).forget()


@hint("Start from by_hand. Only id (twice) and body differ: [], your kwargs, {}.")
def check_write_message(
    write_message: Callable[..., str | bytes], by_hand: dict[str, Any]
) -> None:
    photo = {"title": "First snow", "place": "Pine Hollow"}
    text, other = (write_message(task_id, **photo) for task_id in ("yours", "other"))
    kind = type(text).__name__
    assert isinstance(text, (str, bytes)), f"it returned a {kind}, not text: json.dumps"
    try:
        yours, others = json.loads(text), json.loads(other)
    except ValueError:
        raise AssertionError("the text is not JSON: see json.dumps") from None
    missing = [part for part in by_hand if part not in yours]
    assert not missing, f"the message has no {' and no '.join(missing)}"

    task, id = yours["headers"].get("task"), yours["headers"].get("id")
    named = (task, id) == (by_hand["headers"]["task"], "yours")
    assert named, f"the headers name the task {task} and the id {id}"
    asked, properties = by_hand["properties"], yours["properties"]
    queue = properties.get("delivery_info")
    unchanged = queue == asked["delivery_info"]
    assert unchanged, f"delivery_info must stay as it was, and yours is {queue}"
    encoding = properties.get("body_encoding")
    told = f"body_encoding is {encoding}: the worker needs it to unpack the body"
    assert encoding == asked["body_encoding"], told
    tag = properties.get("delivery_tag")
    own_tag = f"the delivery tag is {tag}, and each message has its own: its id will do"
    assert tag and tag != others["properties"].get("delivery_tag"), own_tag
    plain = yours["content-type"] == by_hand["content-type"]
    assert plain, "say that the body is JSON"
    try:
        args, kwargs, embed = json.loads(base64.b64decode(yours["body"]))
    except (TypeError, ValueError):
        raise AssertionError("the body is not base64 of a JSON list of three") from None
    by_name = f"the body holds {args} and {kwargs}, but both arguments go by name"
    assert (args, kwargs) == ([], photo), by_name
    nothing_next = isinstance(embed, dict) and not any(embed.values())
    assert nothing_next, f"nothing should happen next: give an empty dict, not {embed}"

    _clear("yours")
    app.backend.client.lpush("celery", text)
    with lab.worker(concurrency=1, include="photos"):
        line = app.AsyncResult("yours").get(timeout=30)
    arrived = all(word in line for word in photo.values())
    assert arrived, f"the worker answered {line!r}"


def solve_write_message(by_hand: dict[str, Any]) -> Callable[..., str]:
    def write_message(task_id, **kwargs):
        """The text of a message: run photos.caption with these arguments by name."""
        body = json.dumps([[], kwargs, {}])
        return json.dumps(
            {
                **by_hand,
                "headers": {"task": "photos.caption", "id": task_id},
                "properties": {**by_hand["properties"], "delivery_tag": task_id},
                "body": base64.b64encode(body.encode()).decode(),
            }
        )

    return write_message


@hint("A worker looks a name up in its register: which names do waiting messages use?")
def check_greet(mails: ModuleType) -> None:
    assert "mails.welcome" in app.tasks, (
        "a waiting message asks for mails.welcome, and no task here has that name "
        "(is %%module mails still the first line?)"
    )
    greet: Any = getattr(mails, "greet", None)
    name = getattr(greet, "name", None)
    assert greet and name == "mails.greet", f"the new name is mails.greet, not {name}"
    _clear("old", "new")
    app.send_task("mails.welcome", ["ada"], task_id="old")
    greet.apply_async(["grace"], task_id="new")
    with lab.worker(concurrency=1, include="mails"):
        answers = [app.AsyncResult(id).get(timeout=20) for id in ("old", "new")]
    right = [f"Welcome, {name}!" for name in ("ada", "grace")]
    assert answers == right, f"the worker answered {answers}"


@in_module("mails")
def solve_greet() -> object:
    from tasks import app

    @app.task
    def greet(name):
        return f"Welcome, {name}!"

    # Remove this when no message with the old name is left.
    @app.task(name="mails.welcome")
    def greet_by_old_name(name):
        return greet(name)

    return greet_by_old_name
