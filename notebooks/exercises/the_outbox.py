"""The exercise of notebook 09b, The outbox: its check, a hint, and one solution."""

from collections.abc import Callable
from unittest.mock import patch

import shop
from lab.cells.exercises import hint

PREFIX = "check-"


class Crash(Exception):
    """The site is killed here."""


def _crash() -> None:
    raise Crash


@hint("One `with shop.database() as db:` can hold both writes. Messages come after it.")
def check_buy(buy: Callable[[str, Callable[[], None]], object]) -> None:
    _forget()
    sent: list[str] = []
    in_its_transaction = patch.object(shop, "BUSY", 1)  # a second one would wait long
    through_outbox = patch.object(
        shop.Outbox, "publish", lambda _self, id, *_: sent.append(id)
    )
    directly = patch.object(
        shop.charge, "apply_async", lambda args, *_, **__: sent.append(args[0])
    )
    crashed, fine = PREFIX + "crashed", PREFIX + "fine"
    try:
        with in_its_transaction, through_outbox, directly:
            try:
                buy(crashed, _crash)
            except Crash:
                pass
            else:
                raise AssertionError("buy must call crash() between its two writes")
            after_crash = (_orders(), _rows(), list(sent))
            buy(fine, lambda: None)
        orders, rows = _orders(), _rows()
    finally:
        _forget()

    kept, noted, told = after_crash
    assert crashed not in told, (
        "the site was killed before it had written all, and the message was sent"
    )
    assert (crashed in kept) == (crashed in noted), (
        "the site was killed between the two writes, and one of them is there alone"
    )
    assert crashed not in kept, "an order was kept that nobody has confirmed"
    assert fine in orders and fine in rows, (
        "without a crash, order and row must be there"
    )


def _orders() -> set[str]:
    return _ids("orders")


def _rows() -> set[str]:
    return _ids("outbox")


def _ids(table: str) -> set[str]:
    with shop.database() as db:
        return {id for (id,) in db.execute(f"SELECT id FROM {table}")}


def _forget() -> None:
    """Take out what an earlier check has left."""
    with shop.database() as db:
        db.execute("CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY NOT NULL)")
        for table in "orders", "outbox":
            db.execute(f"DELETE FROM {table} WHERE id LIKE ?", (PREFIX + "%",))


def solve_buy(outbox: shop.Outbox) -> object:
    def buy(order, crash):
        with shop.database() as db:
            db.execute("INSERT INTO orders VALUES (?)", (order,))
            crash()
            outbox.put(db, shop.charge, order, order, 25)
        outbox.relay(order)

    return buy
