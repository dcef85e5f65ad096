"""The exercise of notebook 07, When a call fails: its check, a hint, one solution."""

from itertools import pairwise
from types import ModuleType
from typing import Any

import requests
from celery.exceptions import MaxRetriesExceededError

import lab
from lab.cells.exercises import hint, in_module
from tasks import app

FAILURES, MOST = 3, 5  # of the server, and requests
LEARNED = (requests.RequestException, MaxRetriesExceededError)


def _ask(task: Any, **fault: int) -> tuple[str, int, list[float]]:
    """With this fault: the task's state, how often it asked, and the waits between."""
    lab.fb.heal()
    lab.fb.forget()
    lab.fb.fail("posts", **fault)
    url = f"{lab.fb.url}/v1/ada/posts?latency=0.2&limit=1"
    ticket = task.apply_async([url], queue="patient")
    try:
        result = ticket.get(timeout=15, propagate=False)
    except Exception:
        result = None  # its state tells
    if isinstance(result, Exception) and not isinstance(result, LEARNED):
        raise result  # a slip in the task
    asked = lab.fb.witness().requests
    waits = [later.arrival - earlier.end for earlier, later in pairwise(asked)]
    return ticket.state, len(asked), waits


@hint(
    "self.retry(…) in except, limited; error.response.status_code tells 503 from 404."
)
def check_fetch_patiently(my_retries: ModuleType) -> None:
    task: Any = getattr(my_retries, "fetch_patiently", None)
    assert hasattr(task, "delay"), "my_retries has no task fetch_patiently"
    mine = lab.worker(concurrency=1, queues="patient", include="my_retries")
    try:
        state, count, _ = _ask(task, status=503, times=FAILURES)
        assert state != "RETRY", "after 15 s it still waits: is there a countdown?"
        well = f"the server was well after {FAILURES} failures"
        early = f"{well}; requests before it gave up: {count}"
        assert state == "SUCCESS", early
        state, count, waits = _ask(task, status=503)
        asked = f"a server that fails for good was asked {count} times"
        often = f"{asked}, and {MOST} is the limit"
        assert state == "FAILURE" and count <= MOST, often
        first, *_, last = waits
        told = f"its first wait was {first:.2f} s, and its last one {last:.2f} s"
        assert last > first + 0.2, f"{told}: they must grow"
        state, count, _ = _ask(task, status=404)
        assert count == 1, f"a page that is not there was asked for {count} times"
        missing = f"a page that is not there gave the state {state}"
        assert state == "FAILURE", f"{missing}: raise the error again"
    finally:
        mine.kill()
        lab.fb.heal()
        app.backend.client.delete("patient")


@in_module("my_retries")
def solve_fetch_patiently() -> object:
    import requests

    from tasks import app, fetch_url

    @app.task(bind=True, max_retries=4)
    def fetch_patiently(self, url):
        try:
            return fetch_url(url)
        except requests.HTTPError as error:
            if error.response.status_code < 500:
                raise
            wait = 0.25 * 2**self.request.retries  # seconds: 0.25, 0.5, 1, 2
            raise self.retry(countdown=wait, exc=error) from error

    return fetch_patiently
