"""Outages of notebooks 10 and 10b, with shop's outbox and 10's settings: no order is lost, none is charged twice."""

import ast
from pathlib import Path
from typing import Any

import nbformat
import pytest

NOTEBOOK = Path(__file__).resolve().parents[3] / "notebooks" / "10_when_redis_fails.ipynb"
ORDERS = 30


def settings_to_copy() -> dict[str, Any]:
    """The block that the notebook asks its readers to copy, with the times of its experiments: one second."""
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    [source] = [cell.source for cell in cells if cell.source.startswith("settings = {")]
    settings = ast.literal_eval(ast.parse(source).body[0].value)
    for options, name in [
        (settings["broker_transport_options"], "socket_timeout"),
        (settings["broker_transport_options"], "health_check_interval"),
        (settings, "redis_socket_timeout"),
    ]:
        assert options[name] > 1
        options[name] = 1
    return settings


def sell(outage, settings, orders):
    """Orders through the outbox, all by way of a proxy or a Sentinel, with an outage in their midst."""
    import time

    import redis

    import lab

    lab.start(worker=False, private=True)

    import shop
    from notebooks.ledger import on, with_standby
    from tasks import app

    settings = {name: value for name, value in settings.items() if value is not None}  # as celeryconfig.py has it
    if outage == "replace":
        primary, _ = with_standby()
        address = on(lab.sentinel(primary).url)
        for name in "broker_transport_options", "result_backend_transport_options":
            address[name] |= settings.pop(name, {})
    else:
        proxy = lab.proxy()
        address = on(proxy.url)
    settings |= address
    app.conf.update(address)
    worker = lab.worker(concurrency=2, include="shop", settings=settings, wait=False)
    worker.wait_for("it was ready", lambda: " ready." in worker.log(), timeout=60)
    client = redis.Redis.from_url(lab.redis.url)
    outbox = shop.Outbox(deadline=4)

    def supervise():
        """As systemd would: a worker that has ended is started again. One with a late task ends with its Redis."""
        nonlocal worker
        if worker.returncode is not None:
            worker = lab.worker(concurrency=2, include="shop", settings=settings, wait=False)

    def begin():
        {
            "none": str,
            "stop": lab.redis.stop,
            "kill": lab.redis.kill,
            "freeze": lab.redis.freeze,
            "cut": lambda: proxy.cut(),
            "vanish": lambda: proxy.cut(also_new=True),
            "refuse": lambda: client.replicaof("127.0.0.1", 1),
            "full": lambda: client.config_set("maxmemory", 1),
            "replace": lambda: primary.kill(),
        }[outage]()

    def end():
        {
            "stop": lab.redis.start,
            "kill": lab.redis.start,
            "freeze": lab.redis.thaw,
            "vanish": lambda: proxy.mend(),
            "refuse": lambda: client.replicaof("NO", "ONE"),
            "full": lambda: client.config_set("maxmemory", 0),
        }.get(outage, str)()

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


@pytest.mark.parametrize("outage", ["none", "stop", "kill", "freeze", "cut", "vanish", "refuse", "full", "replace"])
def test_no_order_is_lost(outage: str, place) -> None:
    seen = place.witness(sell, outage, settings_to_copy(), ORDERS)
    assert seen["unfinished"] == []
    assert sorted(seen["charged"]) == sorted(f"order-{number}" for number in range(ORDERS))
    assert seen["longest"] < 5  # who sends does not hang
