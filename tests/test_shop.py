"""`shop.py` without workers: the task that may run twice, and the account that the outbox keeps."""

import ast
import locale
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu.exceptions import OperationalError

import shop

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def database(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(shop, "DATABASE", str(tmp_path / "shop.db"))


def ask(question: str) -> list[tuple]:
    with shop.database() as db:
        return db.execute(question).fetchall()


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


def test_a_charge_that_runs_twice_has_one_effect(language):
    for _ in range(2):
        shop.charge_once("order-1", 25)
    shop.charge_once("order-2", 5)
    assert ask("SELECT balance FROM account") == [(30,)]


def test_effect_and_key_are_there_together_or_not_at_all(language):
    with shop.database() as db:
        db.execute("CREATE TRIGGER broken BEFORE UPDATE ON account BEGIN SELECT raise(ABORT, 'no'); END")
    with pytest.raises(sqlite3.IntegrityError):
        shop.charge_once("order-1", 25)
    assert ask("SELECT * FROM charges") == []


def test_an_order_without_a_name_is_charged_not_at_all():
    with pytest.raises(sqlite3.IntegrityError):
        shop.charge_once(None, 25)
    assert ask("SELECT balance FROM account") == [(0,)]


@pytest.fixture
def redis_is(monkeypatch):
    """A Redis that accepts or not, and knows results; what was sent to it is in `sent`."""

    class Redis:
        away = False
        states: dict[str, str] = {}
        sent: list[tuple[str, list]] = []

        def apply_async(self, args, task_id):
            if self.away:
                raise OperationalError
            self.sent.append((task_id, args))

        def result(self, id):
            if self.away:
                raise OperationalError
            return type("Result", (), {"state": self.states.get(id, "PENDING")})

    fake = Redis()
    fake.states, fake.sent = {}, []
    monkeypatch.setattr(shop.charge, "apply_async", fake.apply_async)
    monkeypatch.setattr(shop.app, "AsyncResult", fake.result)
    return fake


def test_an_order_is_kept_though_redis_is_away_and_sent_again_under_its_id(redis_is):
    outbox = shop.Outbox()
    redis_is.away = True
    assert not outbox.send(shop.charge, "order-1", "order-1", 25)
    assert outbox.overdue(deadline=0) == []  # nobody can tell
    assert outbox.unfinished() == ["order-1"]
    redis_is.away = False
    assert outbox.overdue(deadline=60) == []
    assert outbox.resend(outbox.overdue(deadline=0)) == ["order-1"]
    assert redis_is.sent == [("order-1", ["order-1", 25])]
    assert ask("SELECT tries, accepted FROM outbox") == [(2, 1)]


def test_each_further_try_has_longer(redis_is):
    outbox = shop.Outbox()
    outbox.send(shop.charge, "order-1", "order-1", 25)
    outbox.send(shop.charge, "order-2", "order-2", 25)
    outbox.resend(["order-2"])
    with shop.database() as db:
        db.execute("UPDATE outbox SET sent = sent - 7")
    assert outbox.overdue(deadline=5) == ["order-1"]


def test_only_success_is_done(redis_is):
    outbox = shop.Outbox()
    for id in ("order-1", "order-2"):
        outbox.send(shop.charge, id, id, 25)
    redis_is.states = {"order-1": "SUCCESS", "order-2": "FAILURE"}
    assert outbox.overdue(deadline=0) == outbox.unfinished() == ["order-2"]


def test_an_order_that_was_written_down_and_never_sent_is_overdue(redis_is, monkeypatch):
    outbox = shop.Outbox()
    monkeypatch.setattr(outbox, "resend", lambda ids: [])  # killed in between
    assert not outbox.send(shop.charge, "order-1", "order-1", 25)
    assert outbox.overdue(deadline=0) == ["order-1"]


def test_who_sells_gives_up_with_the_orders_still_in_the_outbox(redis_is, monkeypatch):
    monkeypatch.setattr(shop, "LOOK", 0.01)
    with pytest.raises(TimeoutError, match="2 orders"):
        shop.sell(shop.Outbox(), ["order-1", "order-2"], every=0.01, deadline=0.02, timeout=0.3)
    assert shop.Outbox().unfinished() == ["order-1", "order-2"]
    assert len(redis_is.sent) > 2


def test_a_reader_can_copy_it_with_tasks_py_alone():
    tree = ast.parse((ROOT / "shop.py").read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported - set(sys.stdlib_module_names) == {"celery", "kombu", "redis", "tasks"}
