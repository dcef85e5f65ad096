"""The exercises of notebook 01, The slow request: for each its check, a hint, and one
solution."""

import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import requests
from tornado.web import Application, RequestHandler

import lab
from lab.cells.exercises import hint, in_module
from tasks import app, fetch_url

PHOTOS = 7
CALLS = 5


def _url(query: str) -> str:
    return f"{lab.fb.url}/v1/ada/photos?limit={PHOTOS}&{query}"


@hint("What makes send_activation_email a task? Look at its source near the top.")
def check_count_photos(my_tasks: ModuleType) -> None:
    count_photos: Any = getattr(my_tasks, "count_photos", None)
    assert count_photos, "my_tasks has no count_photos"
    is_task = hasattr(count_photos, "delay")
    assert is_task, "count_photos is a function, not a task: no delay"
    worker = lab.worker(concurrency=CALLS, queues="mine", include="my_tasks")
    with worker, lab.watch("Your task, five times") as yours:
        urls = [_url("latency=1")] * CALLS
        tickets = [count_photos.apply_async([url], queue="mine") for url in urls]
        counts = [ticket.get(timeout=30) for ticket in tickets]

    right = [len(fetch_url(_url("latency=0"))["data"])] * CALLS
    told = f"the five counts are {str(counts):.60}, and they should be {right}"
    assert counts == right, told
    took = yours.took or 0
    told = f"it took {took:.2f} s, and one round takes 1 s"
    assert yours.peak == CALLS and 1 <= took < 2, told


@in_module("my_tasks")
def solve_count_photos() -> Callable[[str], int]:
    from tasks import app, fetch_url

    @app.task
    def count_photos(url):
        """How many photos the answer at this URL holds."""
        return len(fetch_url(url)["data"])

    return count_photos


@hint("Look for the id in invited. Then have words for each state, STARTED included.")
def check_invitation_page(
    InvitationPage: type[RequestHandler], invited: set[str]
) -> None:
    # Tasks at all points of their way, as a worker would store them, and what to read.
    cases: dict[str, tuple[Any, str | None, str]] = {
        "waiting": (None, None, "waiting"),
        "started": ({"pid": 1, "hostname": "worker@mary"}, "STARTED", "waiting"),
        "nothing sent": ({"sent": 0, "of": 3}, "PROGRESS", "0 of 3 sent"),
        "one sent": ({"sent": 1, "of": 3}, "PROGRESS", "1 of 3 sent"),
        "three of four sent": ({"sent": 3, "of": 4}, "PROGRESS", "3 of 4 sent"),
        "done": ({"sent": 3}, "SUCCESS", "all sent"),
        "failed": (ValueError("an address is refused"), "FAILURE", "failed"),
    }
    run = time.time_ns()
    ids = {name: f"check-{run}-{name.replace(' ', '-')}" for name in cases}
    invited.update(ids.values())
    page = lab.serve(Application([("/invitations/(.+)", InvitationPage)])).url
    try:
        for name, (value, state, words) in cases.items():
            if state:
                app.backend.store_result(ids[name], value, state)
            _ask(f"{page}/invitations/{ids[name]}", state or "PENDING", words)
        unknown = _get(
            f"{page}/invitations/check-{run}-nobody", "an unknown id"
        ).status_code
        assert unknown == 404, (
            f"for an id that is not in invited the status is {unknown}"
        )
    finally:
        invited.difference_update(ids.values())
        for id in ids.values():
            app.AsyncResult(id).forget()


def _get(url: str, what: str) -> requests.Response:
    try:
        return requests.get(url, timeout=3)
    except requests.Timeout:
        told = f"for {what} there is no answer within 3 s"
        raise AssertionError(f"{told}: the page must not wait for the task") from None


def _ask(url: str, state: str, words: str) -> None:
    answer = _get(url, f"the state {state}")
    told = f"the state of a task is {state}, and the page answers"
    assert answer.ok, f"{told} with status {answer.status_code}"
    try:
        read = answer.json()["status"]
    except (ValueError, KeyError, TypeError):
        raise AssertionError(f"{told} without a status: {answer.text:.60}") from None
    assert read == words, f"{told} {read!r}"


def solve_invitation_page() -> tuple[type[RequestHandler], set[str]]:
    from tornado.web import HTTPError

    class InvitationPage(RequestHandler):
        def get(self, id):
            if id not in invited:
                raise HTTPError(404)
            meta = app.backend.get_task_meta(id)
            state, value = meta["status"], meta["result"]
            words = {"SUCCESS": "all sent", "FAILURE": "failed"}
            if state == "PROGRESS":
                words[state] = f"{value['sent']} of {value['of']} sent"
            self.write({"status": words.get(state, "waiting")})

    invited = {"invitation-1", "invitation-2", "invitation-3"}
    return InvitationPage, invited
