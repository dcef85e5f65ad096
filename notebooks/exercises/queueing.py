"""The exercises of notebook 03, Queueing: for each its check, a hint, and one
solution."""

from collections.abc import Callable
from typing import Any

import lab
from lab.cells.exercises import hint
from tasks import app, fetch_url


def _clean_slate() -> None:
    """Throw all messages and results away."""
    store = app.backend.client
    results = store.scan_iter("celery-task-meta-*")
    store.delete("unacked", "unacked_index", *store.scan_iter(_type="list"), *results)


def _page_of(user: str) -> str:
    """A URL that the mock Facebook answers in a tenth of a second."""
    return f"{lab.fb.url}/v1/{user}/posts?latency=0.1&limit=1"


def _seen_by_facebook() -> list[str]:
    """The users it was asked for, in the order in which the requests arrived."""
    requests = lab.fb.witness().requests
    return [each.user for each in sorted(requests, key=lambda each: each.arrival)]


@hint("A message without a priority has priority 0. Which function must change, then?")
def check_ada_first(
    send_nightly: Callable[[str], None], send_visitor: Callable[[str], None]
) -> None:
    _clean_slate()
    lab.fb.forget()
    night = ["night-1", "night-2", "night-3"]
    for user in night:
        send_nightly(_page_of(user))
    send_visitor(_page_of("ada"))

    queues = lab.xray().queues
    sent = {name: len(messages) for name, messages in queues.items() if messages}
    right_number = sum(sent.values()) == len(night) + 1
    assert right_number, f"four pages are to be sent, and Redis holds {sent}"
    own = {name.partition(" (priority")[0] for name in sent}
    assert own == {"celery"}, f"the worker reads celery only, and Redis holds {sent}"
    assert len(sent) > 1, (
        "all four wait in one list; 0 to 2 share one, as do 3 to 5 and 6 to 8"
    )
    with lab.worker(concurrency=1) as worker:
        worker.wait_for(
            "four pages were fetched",
            lambda: len(_seen_by_facebook()) == len(night) + 1,
            timeout=30,
        )
    asked = _seen_by_facebook()
    assert asked[0] == "ada", f"Facebook was asked for {', '.join(asked)}"


def solve_ada_first() -> tuple[Callable[[str], None], Callable[[str], None]]:
    def send_nightly(url):
        """Send a page that may wait."""
        # The others go behind: nothing overtakes a message of priority 0.
        fetch_url.apply_async([url], priority=9)

    def send_visitor(url):
        """Send the page of somebody who looks at an empty screen."""
        fetch_url.apply_async([url])

    return send_nightly, send_visitor


@hint("lab.xray() has .queues, .unacked and .results. Is the id in .queues.values()?")
def check_where_is(where_is: Callable[[str], str], develop: Any) -> None:
    _clean_slate()
    develop.apply_async(["first"], task_id="first")
    develop.apply_async(["second"], task_id="second")
    develop.apply_async(["third"], task_id="third", priority=9)
    develop.apply_async(["other"], task_id="other", queue="other")
    states = {
        "first": "runs",
        "second": "is reserved",
        "third": "waits",
        "other": "waits in another queue",
    }
    waits, unknown = where_is("third"), where_is("never-sent")
    assert waits == "queue", f"what waits is in the queue; your answer is {waits!r}"
    assert unknown == "nowhere", f"an unknown id is nowhere; your answer is {unknown!r}"

    worker = lab.worker(concurrency=1, include="studio")
    try:
        worker.wait_until_full()
        seen, answers = lab.xray(), {id: where_is(id) for id in states}
    finally:
        worker.kill()
        _clean_slate()

    right = {id: "result" for id in seen.results} | {
        id: "worker" for id in seen.unacked
    }
    right |= {id: "queue" for messages in seen.queues.values() for id in messages}
    wrong = [id for id in right if answers.get(id) != right[id]]
    told = [f"{id} {states[id]}, your answer is {answers[id]!r}" for id in wrong]
    assert not wrong, "; ".join(told)


def solve_where_is() -> Callable[[str], str]:
    def where_is(task_id):
        """Where Redis has this task: "queue", "worker", "result" or "nowhere"."""
        seen = lab.xray()
        if any(task_id in messages for messages in seen.queues.values()):
            return "queue"
        if task_id in seen.unacked:
            return "worker"
        return "result" if task_id in seen.results else "nowhere"

    return where_is
