"""The exercise of notebook 07b, Twice is not once: its check, a hint, one solution."""

from types import ModuleType
from typing import Any
from uuid import uuid4

import requests

import lab
from lab.cells.exercises import hint, in_module
from tasks import app

CENTS = 700
ACCIDENTS: dict[str, dict[str, Any]] = {
    "the answer got lost": {"drop": True, "times": 1},
    "two answers got lost": {"drop": True, "times": 2},
    "the bank refused at first": {"status": 503, "times": 1},
}


def _taken(order: str) -> list[int]:
    return [each["cents"] for each in lab.fb.charges() if each["order"] == order]


def _pay(task: Any, orders: list[str]) -> None:
    """Send them all, and wait for all."""
    tickets = [task.apply_async([order, CENTS], queue="shop") for order in orders]
    for ticket in tickets:
        result = ticket.get(timeout=20, propagate=False)
        if isinstance(result, Exception):
            passing = isinstance(result, requests.RequestException)
            assert passing, f"pay ended with {type(result).__name__}: {result}"


@hint("Who knows whether the money was taken? Send along what is the same each time.")
def check_pay(my_shop: ModuleType) -> None:
    pay: Any = getattr(my_shop, "pay", None)
    assert hasattr(pay, "delay"), "my_shop has no task pay"
    lab.fb.heal()
    app.backend.client.delete("shop")
    shop = lab.worker(concurrency=3, queues="shop", include="my_shop")
    price = f"an order of {CENTS} cents"
    try:
        for accident, fault in ACCIDENTS.items():
            order = uuid4().hex[:8]
            lab.fb.fail("charges", **fault)
            _pay(pay, [order])
            total = sum(_taken(order))
            assert total == CENTS, f"{accident}, and {price} cost {total}"
        triple, single = uuid4().hex[:8], uuid4().hex[:8]
        _pay(pay, [triple, triple, triple, single])
        total = sum(_taken(triple))
        assert total == CENTS, f"{price} cost {total}, by three runs at once"
        assert _taken(single) == [CENTS], "a second order was not paid"
    finally:
        shop.kill()
        lab.fb.heal()


@in_module("my_shop")
def solve_pay() -> object:
    import os

    import requests

    from tasks import app

    BANK = os.environ["FAKE_FB_URL"] + "/v1/shop/charges?latency=0.2"

    @app.task(bind=True, max_retries=3)
    def pay(self, order, cents):
        form = {"order": order, "cents": cents}
        key = {"Idempotency-Key": f"order-{order}"}
        try:
            requests.post(BANK, data=form, headers=key, timeout=10).raise_for_status()
        except requests.RequestException as error:
            raise self.retry(countdown=0, exc=error) from error

    return pay
