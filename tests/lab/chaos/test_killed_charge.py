"""The settings of `shop.charge` and of `celeryconfig.py` at work: a worker that is killed, and a bank that is slow."""

import pytest


def kill_and_wait():
    """Kill a worker at the bank; then let a charge take longer than two seconds beside an idle worker."""
    import lab

    lab.start(worker=False, private=True)
    import shop
    from notebooks.selling import empty_shop
    from tasks import app

    quick = {"unacked_restore_interval": 0.5, "unacked_restore_throttle": 1}  # workers look for old messages often
    empty_shop()
    outbox = shop.Outbox()  # no relay runs
    short = {"broker_transport_options": {"visibility_timeout": 3, **quick}}
    lab.fb.fail("charges", latency=30, times=1)
    first = lab.worker(1, include="shop", settings=short)
    outbox.send(shop.charge, "order-1", "order-1", 25)
    first.wait_for("it was at the bank", lambda: lab.fb.witness().in_flight, timeout=20)
    first.kill()
    second = lab.worker(1, include="shop", settings=short)
    try:
        second.wait_for("it was charged", lambda: not outbox.unfinished(), timeout=40)
        came_back = True
    except lab.LabError:
        came_back = False
    second.kill()
    charges = len(lab.fb.charges())

    with app.connection_for_write() as connection:
        connection.default_channel.client.flushall()
    empty_shop()
    lab.fb.forget()
    lab.fb.fail("charges", latency=6, times=1)
    own = {"broker_transport_options": {**app.conf.broker_transport_options, **quick}}
    pair = [lab.worker(1, include="shop", settings=own) for _ in range(2)]
    outbox.send(shop.charge, "order-2", "order-2", 25)
    try:
        pair[0].wait_for("it was charged", lambda: not outbox.unfinished(), timeout=40)
    finally:
        for worker in pair:
            worker.kill()
    return {"came back": came_back, "charges": charges, "asked": len(lab.fb.witness().requests)}


@pytest.fixture(scope="module")
def seen(shared_place):
    return shared_place.witness(kill_and_wait)


def test_what_a_killed_worker_ran_comes_back_without_a_relay_and_is_charged_once(seen):
    assert seen["came back"] and seen["charges"] == 1


def test_a_slow_charge_is_not_given_to_a_second_worker(seen):
    assert seen["asked"] == 1
