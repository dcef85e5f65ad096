"""Outages of notebook 10, with shop's outbox and the notebook's settings: no order is lost, none is charged twice."""

import ast
from pathlib import Path
from typing import Any

import nbformat
import pytest

NOTEBOOK = Path(__file__).resolve().parents[3] / "notebooks" / "10_when_redis_fails.ipynb"
ORDERS = 30


def settings_to_copy() -> dict[str, Any]:
    """The block that the notebook asks its readers to copy."""
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    [source] = [cell.source for cell in cells if cell.source.startswith("settings = {")]
    return ast.literal_eval(ast.parse(source).body[0].value)


def sell(outage, settings, orders):
    """Orders through the outbox, all by way of a proxy, with an outage in their midst."""
    import time

    import lab

    lab.start(worker=False, private=True)
    proxy = lab.proxy()

    import shop
    from tasks import app

    app.conf.broker_url = proxy.url
    urls = {"broker_url": proxy.url, "result_backend": proxy.url}
    settings = {name: value for name, value in settings.items() if value is not None}  # as celeryconfig.py has it
    worker = lab.worker(concurrency=2, include="shop", settings=urls | settings)
    outbox = shop.Outbox(deadline=4)

    def supervise():
        """As systemd would: a worker that has ended is started again. One with a late task ends with its Redis."""
        nonlocal worker
        if worker.returncode is not None:
            worker = lab.worker(concurrency=2, include="shop", settings=urls | settings, wait=False)

    def begin():
        {
            "none": str,
            "stop": lab.redis.stop,
            "kill": lab.redis.kill,
            "freeze": lab.redis.freeze,
            "cut": proxy.cut,
            "vanish": lambda: proxy.cut(also_new=True),
        }[outage]()

    def end():
        {"stop": lab.redis.start, "kill": lab.redis.start, "freeze": lab.redis.thaw, "vanish": proxy.mend}.get(
            outage, str
        )()

    longest = 0.0
    for number in range(orders):
        if number == orders // 3:
            begin()
        if number == 2 * orders // 3:
            time.sleep(2)
            end()
        began = time.monotonic()
        outbox.send(shop.charge, f"order-{number}", f"order-{number}", 25)
        longest = max(longest, time.monotonic() - began)
        supervise()
        time.sleep(0.05)
    deadline = time.monotonic() + 40
    while outbox.unfinished() and time.monotonic() < deadline:
        outbox.relay()
        supervise()
        time.sleep(0.2)
    charged = [charge["order"] for charge in lab.fb.charges()]
    return {"unfinished": outbox.unfinished(), "charged": charged, "longest": longest}


@pytest.mark.parametrize("outage", ["none", "stop", "kill", "freeze", "cut", "vanish"])
def test_no_order_is_lost(outage: str, place) -> None:
    seen = place.witness(sell, outage, settings_to_copy(), ORDERS)
    assert seen["unfinished"] == []
    assert sorted(seen["charged"]) == sorted(f"order-{number}" for number in range(ORDERS))
    assert seen["longest"] < 5  # who sends does not hang
