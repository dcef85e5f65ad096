"""`shop.py` without workers: the task that may run twice, and the account that the outbox keeps."""

import ast
import json
import locale
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from kombu.exceptions import LimitExceeded, OperationalError

import shop

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def database(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(shop, "DATABASE", str(tmp_path / "shop.db"))


def ask(question: str) -> list[tuple]:
    with shop.database() as db:
        return db.execute(question).fetchall()


def later(seconds: float) -> None:
    """Let the time of the outbox pass."""
    with shop.database() as db:
        db.execute("UPDATE outbox SET due = due - ?", (seconds,))


@pytest.fixture(params=["C", "tr_TR.UTF-8"])
def language(request: pytest.FixtureRequest) -> Iterator[None]:
    """In Turkish the small form of I is not i: C's functions know it, and with them Python's sqlite3."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, request.param)
    except locale.Error:
        pytest.skip(f"no {request.param} here: locale-gen makes it")
    yield
    locale.setlocale(locale.LC_CTYPE, before)


class Bank:
    """Takes money once for a key, and more often without one; can lose its answers."""

    def __init__(self) -> None:
        self.requests = 0
        self.taken: dict[str, int] = {}
        self.loses_answers = False

    def post(self, url, *, data, headers, timeout):
        self.requests += 1
        key = headers.get("Idempotency-Key", f"request {self.requests}")
        self.taken.setdefault(key, data["cents"])
        if self.loses_answers:
            raise requests.ConnectionError
        answer = requests.Response()
        answer.status_code = 201
        answer._content = json.dumps({"id": f"receipt of {data['order']}"}).encode()
        return answer


@pytest.fixture
def bank(monkeypatch) -> Bank:
    bank = Bank()
    monkeypatch.setattr(shop.requests, "post", bank.post)
    return bank


def test_a_charge_that_runs_twice_has_one_effect(bank, language):
    for order in "order-1", "order-1", "order-2":
        shop.charge(order, 25)
    assert ask("SELECT id, cents FROM charges") == [("order-1", 25), ("order-2", 25)]
    assert bank.requests == 2  # the second run found the first one's receipt


def test_a_bank_whose_answer_is_lost_takes_the_money_once(bank):
    bank.loses_answers = True
    with pytest.raises(requests.ConnectionError):
        shop.charge("order-1", 25)
    assert ask("SELECT * FROM charges") == [] and sum(bank.taken.values()) == 25
    bank.loses_answers = False
    shop.charge("order-1", 25)
    assert bank.requests == 2 and sum(bank.taken.values()) == 25


def test_receipt_and_done_are_there_together_or_not_at_all(bank, language, redis_is):
    shop.Outbox().send(shop.charge, "order-1", "order-1", 25)
    with shop.database() as db:
        db.execute("CREATE TRIGGER broken BEFORE UPDATE ON outbox BEGIN SELECT raise(ABORT, 'no'); END")
    with pytest.raises(sqlite3.IntegrityError):
        shop.charge("order-1", 25)
    assert ask("SELECT * FROM charges") == []
    with shop.database() as db:
        db.execute("DROP TRIGGER broken")
    shop.charge("order-1", 25)
    assert shop.Outbox().unfinished() == [] and sum(bank.taken.values()) == 25


def test_the_task_survives_its_process_and_its_worker():
    assert shop.charge.acks_late and shop.charge.retry_on_worker_lost
    assert shop.charge.max_retries is not None  # an order that kills each process has an end


def test_a_message_is_invisible_for_longer_than_a_charge_takes():
    # Shorter, and a worker that is slow would find that another one runs its task, too.
    assert shop.app.conf.broker_transport_options["visibility_timeout"] >= 60 * shop.BANK_TIMEOUT


def test_to_import_it_changes_no_setting():
    program = "from tasks import app; before = repr(dict(app.conf)); import shop; assert repr(dict(app.conf)) == before"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


@pytest.fixture
def redis_is(monkeypatch):
    """A Redis that accepts or not; what was sent to it is in `sent`."""

    class Redis:
        away: type[Exception] | None = None  # how it refuses
        sent: list[tuple[str, str, str]] = []

        def publish(self, outbox, id, task, args):
            if self.away:
                raise self.away
            self.sent.append((id, task, args))

    fake = Redis()
    fake.sent = []
    monkeypatch.setattr(shop.Outbox, "publish", lambda *args: fake.publish(*args))
    return fake


# The last one comes when Redis hangs, and all connections of the pool wait for it.
@pytest.mark.parametrize("away", [OperationalError, ConnectionError, LimitExceeded])
def test_an_order_is_kept_though_redis_is_away_and_sent_again_under_its_id(redis_is, away):
    outbox = shop.Outbox(deadline=60)
    redis_is.away = away
    assert not outbox.send(shop.charge, "order-1", "order-1", 25)
    assert outbox.unfinished() == ["order-1"]
    redis_is.away = None
    assert outbox.relay() == []
    later(shop.PAUSE)
    assert outbox.relay() == ["order-1"]
    assert redis_is.sent == [("order-1", "shop.charge", '["order-1", 25]')]


def test_what_redis_refuses_is_no_try(redis_is):
    outbox = shop.Outbox(deadline=60, most_tries=1)
    redis_is.away = OperationalError
    for number in range(3):
        outbox.send(shop.charge, f"order-{number}", f"order-{number}", 25)
    for _ in range(5):
        later(shop.PAUSE)
        assert outbox.relay() == outbox.for_a_person() == []
    assert ask("SELECT DISTINCT tries FROM outbox") == [(0,)]
    redis_is.away = None
    later(shop.PAUSE)
    assert outbox.relay() == ["order-0", "order-1", "order-2"]


def test_each_further_try_has_longer_and_after_the_last_a_person_is_asked(redis_is, bank):
    outbox = shop.Outbox(deadline=5, most_tries=2)
    outbox.send(shop.charge, "order-1", "order-1", 25)
    later(5)
    assert outbox.relay() == ["order-1"]
    later(9)
    assert outbox.relay() == outbox.for_a_person() == []
    later(1)
    assert outbox.relay() == []
    assert outbox.for_a_person() == outbox.unfinished() == ["order-1"]
    outbox.try_again("order-1")
    assert outbox.for_a_person() == [] and outbox.relay() == ["order-1"]
    shop.charge("order-1", 25)
    later(1000)
    assert outbox.relay() == outbox.unfinished() == outbox.for_a_person() == []


def test_two_relays_never_send_the_same_row(redis_is, monkeypatch):
    outbox, transaction = shop.Outbox(deadline=60), shop.database

    @contextmanager
    def slow() -> Iterator[sqlite3.Connection]:
        """Between two transactions, the other relay has its turn."""
        with transaction() as db:
            yield db
        time.sleep(0.01)

    monkeypatch.setattr(shop, "database", slow)

    def relay(start: threading.Barrier) -> None:
        start.wait()
        outbox.relay()

    for turn in range(10):
        with shop.database() as db:
            for number in range(5):
                id = f"order-{turn}-{number}"
                outbox.put(db, shop.charge, id, id, 25)
        start = threading.Barrier(2)
        relays = [threading.Thread(target=relay, args=[start]) for _ in range(2)]
        for each in relays:
            each.start()
        for each in relays:
            each.join()
    sent = [id for id, *_ in redis_is.sent]
    assert len(sent) == len(set(sent)) == 50


def test_what_a_killed_relay_had_claimed_is_due_again(redis_is):
    outbox = shop.Outbox(deadline=5)
    with shop.database() as db:
        outbox.put(db, shop.charge, "order-1", "order-1", 25)
    assert [id for id, *_ in outbox.claim()] == ["order-1"]  # and then it is killed
    assert outbox.relay() == []
    later(5)
    assert outbox.relay() == ["order-1"]


def test_an_order_and_its_row_are_one_transaction(redis_is):
    outbox = shop.Outbox()
    with pytest.raises(RuntimeError), shop.database() as db:
        outbox.put(db, shop.charge, "order-1", "order-1", 25)
        raise RuntimeError("no such customer")
    assert outbox.unfinished() == outbox.relay() == []


def test_noted_twice_it_is_done_once_and_never_means_something_else(redis_is):
    outbox = shop.Outbox()
    outbox.send(shop.charge, "order-1", "order-1", 25)
    outbox.send(shop.charge, "order-1", "order-1", 25)
    assert len(redis_is.sent) == 1
    with pytest.raises(ValueError, match="order-1"):
        outbox.send(shop.charge, "order-1", "order-1", 2500)
    assert len(redis_is.sent) == 1


def test_a_reader_does_not_wait_for_a_writer(redis_is, monkeypatch):
    outbox = shop.Outbox()
    outbox.send(shop.charge, "order-1", "order-1", 25)
    monkeypatch.setattr(shop, "BUSY", 0.2)
    with shop.database():
        assert outbox.unfinished() == ["order-1"] and not shop.is_charged("order-1")


@pytest.mark.parametrize("listens", [False, True])
def test_who_sends_hangs_no_longer_than_a_moment(listens):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if listens:  # and never answers
            server.listen(20)
        url = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        program = """if True:
            import time, shop
            begin = time.monotonic()
            try:
                shop.Outbox().publish("order-1", "shop.charge", "[]")
            except shop.OperationalError:
                print(time.monotonic() - begin)
        """
        command = [sys.executable, "-c", program]
        printed = subprocess.check_output(command, cwd=ROOT, env=os.environ | {"REDIS_URL": url}, text=True)
    assert float(printed) < 3


def test_a_reader_can_copy_it_with_tasks_py_alone():
    tree = ast.parse((ROOT / "shop.py").read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported - set(sys.stdlib_module_names) == {"celery", "kombu", "requests", "tasks"}
