"""A shop whose orders are neither lost nor charged twice.

Made to be copied, together with `tasks.py` and `celeryconfig.py`.

Celery on Redis runs a task at least once *if* its message survives, and no setting
makes that certain. Three parts close the gap:

- an `Outbox` in the site's own database notes what must be done, and sends it again,
  under the same id, until it is done;
- `charge` may run as often as it likes: the bank gets the order's key with each
  request, and takes the money once;
- what the bank answered, and that the order is done, are written in one transaction.

A worker knows the task with `--include shop`. SHOP_DB names the file of the database,
BANK_URL the bank. To import this module changes no setting of Celery.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import requests
from celery import Task
from kombu import Connection
from kombu.exceptions import LimitExceeded, OperationalError
from kombu.pools import producers

from tasks import app

DATABASE = os.environ.get("SHOP_DB", "shop.db")
BANK = os.environ.get("BANK_URL", "http://localhost:8080/v1/shop/charges")
BANK_TIMEOUT = 10  # seconds to wait for its answer
BUSY = 30  # seconds that a writer waits for the others: SQLite lets in one at a time
BATCH = 100  # rows that a relay claims at once
PAUSE = 1  # seconds until a row that Redis refused is tried again
# How sending fails: Redis is away, or it hangs and the whole pool waits for it.
REFUSED = (OperationalError, OSError, LimitExceeded)

TABLES = """
CREATE TABLE IF NOT EXISTS outbox (
    id TEXT PRIMARY KEY NOT NULL, task TEXT NOT NULL, args TEXT NOT NULL,
    created REAL NOT NULL, due REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
    done REAL);
CREATE INDEX IF NOT EXISTS open_rows ON outbox (due) WHERE done IS NULL;
CREATE TABLE IF NOT EXISTS charges (
    id TEXT PRIMARY KEY NOT NULL, cents INTEGER NOT NULL, receipt TEXT NOT NULL,
    at REAL NOT NULL);
"""

# A claim is one statement, so two relays never claim the same row. It is over when the
# row is due again. PostgreSQL needs FOR UPDATE SKIP LOCKED behind the LIMIT for that,
# and DOUBLE PRECISION above: its REAL rounds a time to minutes.
CLAIM = """
UPDATE outbox SET tries = tries + 1, due = :now + :deadline * (tries + 1)
WHERE id IN (
    SELECT id FROM outbox WHERE done IS NULL AND due <= :now AND tries < :most
    AND (:id IS NULL OR id = :id) ORDER BY created LIMIT :batch)
RETURNING id, task, args
"""


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    """The site's database, for one transaction: all that the block writes, or nothing.

    It takes the right to write at once, so that nothing that it has read is changed by
    others before it writes.
    """
    with closing(connect()) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            yield connection


def read(query: str, *values: Any) -> list[Any]:
    """The rows that a query finds. It waits for no writer."""
    with closing(connect()) as connection:
        return connection.execute(query, values).fetchall()


def connect() -> sqlite3.Connection:
    """To the site's database. A transaction begins where the code says so."""
    create_tables(DATABASE)
    return sqlite3.connect(DATABASE, timeout=BUSY, isolation_level=None)


@cache
def create_tables(path: str) -> None:
    """Create the tables that are not there yet, once for each file of this process."""
    with closing(sqlite3.connect(path, timeout=BUSY)) as db:
        db.execute("PRAGMA journal_mode=WAL")  # a reader does not wait for a writer
        db.executescript(TABLES)


# The task


# A charge whose process dies is tried twice more, and then left to the outbox.
@app.task(
    acks_late=True, retry_on_worker_lost=True, max_retries=2, default_retry_delay=0
)
def charge(order: str, cents: int) -> None:
    """Take the money of one order, once, however often this runs.

    Its row in the outbox has the order as its id.
    """
    if not is_charged(order):  # a needless run costs next to nothing
        book(order, cents, ask_bank(order, cents))


def is_charged(order: str) -> bool:
    return bool(read("SELECT 1 FROM charges WHERE id = ?", order))


def ask_bank(order: str, cents: int) -> str:
    """The bank's receipt. It takes the money once for each key, here the order."""
    key = {"Idempotency-Key": order}
    form: dict[str, Any] = {"order": order, "cents": cents}
    answer = requests.post(BANK, data=form, headers=key, timeout=BANK_TIMEOUT)
    answer.raise_for_status()
    return answer.json()["id"]


def book(order: str, cents: int, receipt: str) -> None:
    """The receipt and "done" in one transaction: either both are there or neither."""
    with database() as db:
        row = (order, cents, receipt, time.time())
        db.execute("INSERT OR IGNORE INTO charges VALUES (?, ?, ?, ?)", row)
        db.execute("UPDATE outbox SET done = ? WHERE id = ?", (time.time(), order))


# The site and its relays


@dataclass(frozen=True)
class Outbox:
    """What must be done, in the site's own database, which Redis can't lose.

    deadline: seconds until a row that was sent and is not done is sent again; the
        second time it has twice as long, and so on
    most_tries: after so many messages, a row waits for a person, even if no worker was
        up to read one of them
    """

    deadline: float = 60
    most_tries: int = 8

    def put(self, db: sqlite3.Connection, task: Task, id: str, *args: Any) -> None:
        """Note what must be done, in the caller's transaction. A relay sends it.

        id: names the row, and is the id of the task; the task notes under it that it is
            done. Noted twice, it is done once; with other arguments: ValueError.
        """
        call = (task.name, json.dumps(args))
        insert = "INSERT OR IGNORE INTO outbox (id, task, args, created, due)"
        row = (id, *call, time.time(), time.time())
        db.execute(f"{insert} VALUES (?, ?, ?, ?, ?)", row)
        noted = db.execute("SELECT task, args FROM outbox WHERE id = ?", (id,))
        if noted.fetchone() != call:
            raise ValueError(f"{id} is in the outbox, and means something else")

    def send(self, task: Task, id: str, *args: Any) -> bool:
        """Note what must be done, then send it. Whether this call has sent it: if not,
        a relay does."""
        with database() as db:
            self.put(db, task, id, *args)
        return self.relay(id) == [id]

    def relay(self, id: str | None = None) -> list[str]:
        """Send what is due, or this row alone. The ids that Redis has accepted.

        Many may run at once: in a loop of their own, or in a periodic task.
        """
        rows = self.claim(id)
        accepted: list[str] = []
        try:
            for row in rows:
                self.publish(*row)
                accepted.append(row[0])
        except REFUSED:  # the rest would wait a second each
            self.give_back([id for id, *_ in rows[len(accepted) :]])
        return accepted

    def claim(self, id: str | None = None) -> list[tuple[str, str, str]]:
        """Id, task and arguments of rows that are due, which no other relay gets."""
        values = {"now": time.time(), "id": id, "batch": BATCH}
        values |= {"deadline": self.deadline, "most": self.most_tries}
        with database() as db:
            return db.execute(CLAIM, values).fetchall()

    def publish(self, id: str, task: str, args: str) -> None:
        """Send one message, within about a second, or raise.

        "Done" is in the database, so nobody asks Redis for a result.
        """
        with producers[quick_broker()].acquire(block=True, timeout=1) as producer:
            app.send_task(
                task,
                json.loads(args),
                task_id=id,
                ignore_result=True,
                retry=False,
                producer=producer,
            )

    def give_back(self, ids: list[str]) -> None:
        """Redis refused: this was no try, and the rows are due again soon."""
        update = "UPDATE outbox SET tries = tries - 1, due = ? WHERE id = ?"
        with database() as db:
            db.executemany(update, [(time.time() + PAUSE, id) for id in ids])

    def unfinished(self) -> list[str]:
        """What is not done yet."""
        return self._ids_where("done IS NULL")

    def for_a_person(self) -> list[str]:
        """What was tried often enough, and is not done: look why, then `try_again`."""
        late = "done IS NULL AND due <= ? AND tries >= ?"
        return self._ids_where(late, time.time(), self.most_tries)

    def try_again(self, id: str) -> None:
        """A person says so: all tries from the beginning.

        After a day, ask the bank first: it may have forgotten the order's key.
        """
        update = "UPDATE outbox SET tries = 0, due = ?"
        with database() as db:
            db.execute(f"{update} WHERE id = ? AND done IS NULL", (time.time(), id))

    def _ids_where(self, condition: str, *values: float) -> list[str]:
        select = f"SELECT id FROM outbox WHERE {condition} ORDER BY created"
        return [id for (id,) in read(select, *values)]


@cache
def quick_broker() -> Connection:
    """To the broker, for those who must not hang when Redis does.

    It waits a second for each answer, and connects once: by default, kombu 5.7 tries
    again for about six seconds. Workers keep the connection, and the patience, that
    `celeryconfig.py` gives them.
    """
    options = {"socket_timeout": 1, "socket_connect_timeout": 1, "max_retries": 0}
    return app.connection_for_write(transport_options=options)
