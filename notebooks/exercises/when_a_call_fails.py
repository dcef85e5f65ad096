"""The exercises of notebook 07, When a call fails: for each its check, a hint, and one
solution."""

from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from types import ModuleType
from typing import Any
from uuid import uuid4

import requests
from celery.exceptions import MaxRetriesExceededError

import lab
from lab.cells.exercises import hint, in_module
from tasks import app

FAILURES, MOST = 3, 5  # of the server, and requests
LEARNED = (requests.RequestException, MaxRetriesExceededError)


def _ask(task: Any, **fault: int) -> tuple[str, int]:
    """With this fault of the server: the state of the task, and how often it asked."""
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
    return ticket.state, len(lab.fb.witness().requests)


@hint(
    "self.retry(…) in except, limited; error.response.status_code tells 503 from 404."
)
def check_fetch_patiently(my_retries: ModuleType) -> None:
    task: Any = getattr(my_retries, "fetch_patiently", None)
    assert hasattr(task, "delay"), "my_retries has no task fetch_patiently"
    mine = lab.worker(concurrency=1, queues="patient", include="my_retries")
    try:
        state, count = _ask(task, status=503, times=FAILURES)
        assert state != "RETRY", "after 15 s it still waits: is there a countdown?"
        well = f"the server was well after {FAILURES} failures"
        early = f"{well}; requests before it gave up: {count}"
        assert state == "SUCCESS", early
        state, count = _ask(task, status=503)
        asked = f"a server that fails for good was asked {count} times"
        often = f"{asked}, and {MOST} is the limit"
        assert state == "FAILURE" and count <= MOST, often
        state, count = _ask(task, status=404)
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
            raise self.retry(countdown=0.2, exc=error) from error

    return fetch_patiently


CENTS = 500
COMMANDS = 10  # of a task, more than any needs


class Disturbed:
    """The client of Redis; something happens before or behind command number `at`."""

    def __init__(
        self,
        at: int,
        before: Callable[[], object] | None = None,
        behind: Callable[[], object] | None = None,
    ) -> None:
        self.at, self.before, self.behind, self.count = at, before, behind, 0
        self._client = app.backend.client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def command(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            if self.count == self.at and self.before:
                self.before()
            answer = getattr(self._client, name)(*args, **kwargs)
            if self.count == self.at and self.behind:
                self.behind()
            return answer

        return command

    def run(self, task: Any, order: str) -> bool:
        """Run the task here. Whether it came to the command that is disturbed."""
        app.backend.client = self
        try:
            with suppress(ConnectionError):
                task.run(order, CENTS)
        finally:
            app.backend.client = self._client
        return self.count >= self.at


def _new_order() -> str:
    return uuid4().hex[:8]


def _paid(order: str) -> int:
    return int(app.backend.client.hget("my-ledger", order) or 0)


def _break_off() -> None:
    raise ConnectionError("the connection broke")


@hint("Looking first and writing later leaves a gap. Which command does both at once?")
def check_charge(my_shop: ModuleType) -> None:
    charge: Any = getattr(my_shop, "charge", None)
    assert hasattr(charge, "delay"), "my_shop has no task charge"
    app.backend.client.delete("my-ledger", "shop")
    _check_at_once(charge)
    _check_between(charge)
    _check_broken_off(charge)


def _check_at_once(charge: Any) -> None:
    """Three processes have one order at the same moment, and one has another."""
    triple, single = _new_order(), _new_order()
    orders = [triple, triple, triple, single]
    shop = lab.worker(concurrency=3, queues="shop", include="my_shop")
    try:
        tickets = [charge.apply_async([order, CENTS], queue="shop") for order in orders]
        for ticket in tickets:
            ticket.get(timeout=15)
    finally:
        shop.kill()
    once, often = _paid(single), _paid(triple)
    price = f"an order of {CENTS} cents"
    assert once == CENTS, f"{price} has {once} in my-ledger after one run"
    assert often == CENTS, f"{price} cost {often}, by three runs at once"


def _check_between(charge: Any) -> None:
    """A second run comes between any two commands of the first."""
    for at in range(1, COMMANDS):
        order = _new_order()
        rival = Thread(target=charge.run, args=[order, CENTS])  # its own connection

        def let_rival_run(rival: Thread = rival) -> None:
            rival.start()
            rival.join(2)  # it may wait for a lock

        if not Disturbed(at, before=let_rival_run).run(charge, order):
            break
        rival.join(15)
        paid = _paid(order)
        told = f"with a second run before command {at}, {paid} cents were taken"
        assert paid == CENTS, told


def _check_broken_off(charge: Any) -> None:
    """The connection breaks behind a command, and the task runs again."""
    for at in range(1, COMMANDS):
        order = _new_order()
        if not Disturbed(at, behind=_break_off).run(charge, order):
            break
        charge.run(order, CENTS)
        paid = _paid(order)
        told = f"after a break behind command {at}, {paid} cents were taken"
        assert paid == CENTS, told


@in_module("my_shop")
def solve_charge() -> object:
    import time

    from tasks import app

    @app.task
    def charge(order, cents):
        client = app.backend.client
        time.sleep(0.3)  # the bank takes its time
        client.hsetnx("my-ledger", order, cents)

    return charge
