"""A shop whose orders are neither lost nor charged twice. Made to be copied, together with `tasks.py` and
`celeryconfig.py`.

Celery on Redis runs a task at least once *if* its message survives, and no setting makes that certain. Two parts,
which need nothing but the site's own database, close the gap:

- `charge` may run as often as it likes: its effect, and the key that says "done", are one transaction;
- an `Outbox` keeps account of what was sent, and sends again, under the same id, what has no result in time.

A worker knows the task with `--include shop`. The database is the file that SHOP_DB names.
"""

import json
import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from typing import Any

from celery import Task, states
from celery.exceptions import CeleryError
from celery.result import denied_join_result
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from tasks import app

DATABASE = os.environ.get("SHOP_DB", "shop.db")
BUSY = 30  # seconds that one who writes waits for the others: SQLite lets in one at a time
LOOK = 0.5  # seconds between two looks at what is overdue

TABLES = """
CREATE TABLE IF NOT EXISTS outbox (
    id TEXT PRIMARY KEY NOT NULL, task TEXT, args TEXT, created REAL, sent REAL, tries INTEGER DEFAULT 0,
    accepted INTEGER DEFAULT 0, done REAL);
CREATE TABLE IF NOT EXISTS charges (key TEXT PRIMARY KEY NOT NULL, amount INTEGER, at REAL);
CREATE TABLE IF NOT EXISTS account (name TEXT PRIMARY KEY, balance INTEGER);
CREATE TABLE IF NOT EXISTS runs (key TEXT, node TEXT, started REAL, finished REAL);
INSERT OR IGNORE INTO account VALUES ('shop', 0);
"""

# Who sends must not hang when Redis does: a second for each of its answers, and no further tries. The outbox tries
# again later. (Notebook 01 shows what each of these does, and how long the defaults wait.)
app.conf.update(
    task_publish_retry_policy={"max_retries": 0},
    result_backend_transport_options={"retry_policy": {"timeout": 1}},
    redis_socket_timeout=1,
    broker_transport_options={"socket_timeout": 1} | app.conf.broker_transport_options,
)
AWAY = (OperationalError, RedisError, CeleryError, RuntimeError, OSError)  # what Celery raises when Redis is not there


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    """The site's database, for one transaction: all that the block writes, or nothing of it.

    It begins here, in plain words. Left to Python, it would begin with the first INSERT, which Python 3.11 does not
    even recognize where the language is Turkish: its small I has no dot.
    """
    create_tables(DATABASE)
    connection = sqlite3.connect(DATABASE, timeout=BUSY, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            yield connection
    finally:
        connection.close()


@cache
def create_tables(path: str) -> None:
    """Create the tables that are not there yet, once for each file that this process uses."""
    with closing(sqlite3.connect(path, timeout=BUSY)) as db:
        db.execute("PRAGMA journal_mode=WAL")  # a reader does not wait for a writer
        db.executescript(TABLES)


def empty_shop() -> None:
    """Forget all orders and charges: for experiments alone."""
    with database() as db:
        for table in ("outbox", "charges", "runs"):
            db.execute(f"DELETE FROM {table}")
        db.execute("UPDATE account SET balance = 0")


# The task


@app.task(bind=True, acks_late=True, reject_on_worker_lost=True)
def charge(self: Task, key: str, amount: int, seconds: float = 0) -> None:
    """Take the money of one order, once, however often this runs; `key` says which order it is."""
    with database() as db:  # a note of each execution, to count those that were too many
        run = db.execute("INSERT INTO runs VALUES (?, ?, ?, NULL)", (key, self.request.hostname, time.time())).lastrowid
    time.sleep(seconds)  # the work
    charge_once(key, amount)
    with database() as db:
        db.execute("UPDATE runs SET finished = ? WHERE rowid = ?", (time.time(), run))


def charge_once(key: str, amount: int) -> None:
    """The effect and its key in one transaction: either both are there or neither."""
    with database() as db:
        if not db.execute("SELECT 1 FROM charges WHERE key = ?", (key,)).fetchone():
            db.execute("INSERT INTO charges VALUES (?, ?, ?)", (key, amount, time.time()))
            db.execute("UPDATE account SET balance = balance + ?", (amount,))


# The producer


class Outbox:
    """What was sent, in the site's own database, which Redis can't lose."""

    def send(self, task: Task, id: str, *args: Any) -> bool:
        """Write down what has to be done, then send it, under this id. Whether Redis has accepted it."""
        with database() as db:
            row = (id, task.name, json.dumps(args), time.time(), time.time())
            db.execute("INSERT OR IGNORE INTO outbox (id, task, args, created, sent) VALUES (?, ?, ?, ?, ?)", row)
        return self.resend([id]) == [id]

    def resend(self, ids: Iterable[str]) -> list[str]:
        """Send these, once more perhaps, and return those that Redis has accepted. The others are overdue later."""
        accepted = []
        for id in ids:
            with database() as db:
                task, args = db.execute("SELECT task, args FROM outbox WHERE id = ?", (id,)).fetchone()
                db.execute("UPDATE outbox SET sent = ?, tries = tries + 1 WHERE id = ?", (time.time(), id))
            try:
                with denied_join_result():  # nobody waits here, so Redis need not call when the result is there
                    app.tasks[task].apply_async(json.loads(args), task_id=id)
            except AWAY:
                continue
            with database() as db:
                db.execute("UPDATE outbox SET accepted = accepted + 1 WHERE id = ?", (id,))
            accepted.append(id)
        return accepted

    def overdue(self, deadline: float) -> list[str]:
        """What was sent more than `deadline` seconds ago and has no result; nothing while Redis can't tell.

        What was sent twice has twice as long, and so on: a queue that is long must not grow by what we send again.
        """
        try:
            self._settle()
        except AWAY:
            return []
        return self._ids("done IS NULL AND sent + ? * max(tries, 1) < ?", deadline, time.time())

    def unfinished(self) -> list[str]:
        """What has no result yet, as far as `overdue` has looked."""
        return self._ids("done IS NULL")

    def _settle(self) -> None:
        """Note what has succeeded meanwhile."""
        done = [(time.time(), id) for id in self.unfinished() if app.AsyncResult(id).state == states.SUCCESS]
        with database() as db:
            db.executemany("UPDATE outbox SET done = ? WHERE id = ?", done)

    def _ids(self, condition: str, *values: float) -> list[str]:
        with database() as db:
            return [id for (id,) in db.execute(f"SELECT id FROM outbox WHERE {condition} ORDER BY created", values)]


def sell(
    outbox: Outbox,
    ids: Sequence[str],
    *,
    every: float = 0.05,
    work: float = 0.1,
    deadline: float = 5,
    timeout: float = 60,
    look: Callable[[list[str]], list[str]] = list,
) -> None:
    """Send an order every so many seconds, and what is overdue again, until all are done.

    All times are in seconds. `look` may look at what is overdue before that is sent again, and leave some out. Gives
    up, with a `TimeoutError`, so many seconds after the last order; what is unfinished then stays in the outbox.
    """
    begin = checked = time.monotonic()
    coming, due = deque(ids), begin
    end = begin + every * len(ids) + timeout
    while coming or outbox.unfinished():
        now = time.monotonic()
        if now > end:
            raise TimeoutError(f"{len(outbox.unfinished())} orders have no result")
        if coming and now >= due:
            outbox.send(charge, id := coming.popleft(), id, 1, work)
            due += every
        elif now - checked >= LOOK:
            outbox.resend(look(outbox.overdue(deadline)))
            checked = time.monotonic()
        else:
            time.sleep(0.01)
