"""A short storm: everything that shall be killed is killed, and no order is lost. `make storm` runs long ones."""

import pytest

from lab.chaos.plan import KINDS, forecast


def weather(seconds, orders):
    import lab

    lab.start(worker=False, private=True)
    from notebooks.selling import empty_shop

    empty_shop()
    ids = [f"order-{number}" for number in range(orders)]
    with lab.storm(seed=3, seconds=seconds) as storm:
        storm.sell(ids, every=seconds / 2 / orders, deadline=8)
    picture = lab.draw_storm(storm, title="Short")
    try:
        worker = lab.worker(1)
        with lab.storm(seed=3, seconds=1):
            pass
    except lab.LabError as error:
        said = str(error)
    finally:
        worker.kill()
    killed = [kill.what for _, kill in storm.killed]
    return {
        "account": storm.account(),
        "killed": killed,
        "picture": picture.words,
        "png": len(picture.png),
        "said": said,
    }


@pytest.fixture(scope="module")
def seen(shared_place):
    return shared_place.witness(weather, 5, 40)


def test_no_order_is_lost_and_none_is_charged_twice(seen):
    account = seen["account"]
    assert (account["orders"], account["charged"], account["lost"]) == (40, 40, 0)
    assert account["runs"] == 40 + account["too many"]
    assert account["at the bank"] == 40 and account["for a person"] == 0
    assert account["sent again"] >= account["lost on the way"]


def test_every_kind_of_kill_took_place_as_planned(seen):
    assert seen["killed"] == [kill.what for kill in forecast(3, 5, 2)]
    assert set(seen["killed"]) == set(KINDS)
    assert (
        f"{len(seen['killed'])} kills marked; orders sent and charged: 40" in seen["picture"] and seen["png"] > 10_000
    )


def test_a_worker_that_would_take_the_orders_is_told_of(seen):
    assert "A worker runs already" in seen["said"]


def test_the_same_seed_is_the_same_storm():
    assert forecast(1, 20, 2) == forecast(1, 20, 2) != forecast(2, 20, 2)
    assert all(0 < kill.at < 20 and kill.worker in (0, 1) for kill in forecast(4, 20, 2))
