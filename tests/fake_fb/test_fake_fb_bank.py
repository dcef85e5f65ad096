"""The bank: money is taken for an order, once for a key, and an answer may be lost."""

import threading

import pytest
import requests

from tests.common import wait_until


@pytest.fixture
def bank(fb):
    """How to ask the bank of a fresh server, at once."""
    requests.delete(f"{fb.url}/control/charges")

    def charge(order="7", cents=500, key=None, **more):
        headers = {"Idempotency-Key": key} if key else {}
        form = {"order": order, "cents": cents} | more
        return requests.post(f"{fb.url}/v1/ada/charges?latency=0", data=form, headers=headers, timeout=10)

    charge.url = fb.url
    charge.taken = lambda: requests.get(f"{fb.url}/control/charges").json()
    charge.fail = lambda **fault: requests.put(f"{fb.url}/control/faults/charges", json=fault).raise_for_status()
    return charge


def test_each_request_without_a_key_takes_the_money(bank):
    answers = [bank(), bank()]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == {"id": "charge-1", "user": "ada", "order": "7", "cents": 500, "key": None}
    assert [charge["id"] for charge in bank.taken()] == ["charge-1", "charge-2"]


def test_the_same_key_gets_the_same_answer(bank):
    first, second, other = bank(key="order-7"), bank(key="order-7"), bank(key="order-8")
    assert (first.status_code, second.status_code, other.status_code) == (201, 200, 201)
    assert first.json() == second.json() != other.json()
    assert len(bank.taken()) == 2


def test_a_key_belongs_to_one_order_and_amount(bank):
    bank(key="k")
    refused = bank(cents=600, key="k")
    assert refused.status_code == 409 and "'7'" in refused.json()["error"]["message"].replace('"', "'")
    assert len(bank.taken()) == 1


def test_at_the_same_moment_too(bank):
    threads = [threading.Thread(target=bank, kwargs={"key": "once"}) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(bank.taken()) == 1


def test_a_lost_answer_has_taken_the_money_and_a_refusal_has_not(bank):
    bank.fail(drop=True, times=1)
    with pytest.raises(requests.ConnectionError):
        bank(key="a")
    assert len(bank.taken()) == 1
    bank.fail(status=503, times=1)
    assert bank(key="b").status_code == 503
    assert len(bank.taken()) == 1
    assert bank(key="a").status_code == 200


@pytest.mark.parametrize(
    "wrong", [{"cents": "5.0"}, {"cents": 0}, {"cents": -1}, {"order": ""}, {"cents": "١"}, {"order": "x" * 201}]
)
def test_malformed_forms_are_refused(bank, wrong):
    assert bank(**wrong).status_code == 400
    assert bank.taken() == []


def test_it_only_takes_posts(bank):
    answer = requests.get(f"{bank.url}/v1/ada/charges")
    assert answer.status_code == 405 and answer.headers["Allow"] == "POST"
    assert requests.head(f"{bank.url}/v1/ada/charges").status_code == 405


def test_it_is_witnessed(bank):
    requests.delete(f"{bank.url}/control/stats")
    bank()
    assert requests.get(f"{bank.url}/control/stats").json()["by_edge"] == {"charges": {"201": 1}}


def test_a_fault_lasts_for_its_seconds(bank):
    bank.fail(status=429, seconds=0.5, retry_after=1)
    assert bank().status_code == 429
    assert bank().status_code == 429
    wait_until(lambda: bank().status_code == 201, 10)
    assert requests.get(f"{bank.url}/control/faults").json() == {}
