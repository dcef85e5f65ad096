"""A note of every run of the shop's task, in the shop's database. A worker of the storm is given `--include` this.

It counts runs; the shop itself has no need of that.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from celery import Task
from celery.signals import task_postrun, task_prerun

from shop import BUSY, DATABASE

TABLE = "CREATE TABLE IF NOT EXISTS runs (key TEXT, node TEXT, started REAL, finished REAL)"
_rows: dict[str, int | None] = {}  # of the runs of this process that have not ended


@contextmanager
def notes() -> Iterator[sqlite3.Connection]:
    """The notes, for one transaction."""
    with closing(sqlite3.connect(DATABASE, timeout=BUSY, isolation_level=None)) as db:
        db.execute(TABLE)
        db.execute("BEGIN IMMEDIATE")
        with db:
            yield db


@task_prerun.connect
def begin(task_id: str, task: Task, **_: Any) -> None:
    row = (task_id, task.request.hostname, time.time())
    with notes() as db:
        _rows[task_id] = db.execute("INSERT INTO runs VALUES (?, ?, ?, NULL)", row).lastrowid


@task_postrun.connect
def end(task_id: str, **_: Any) -> None:
    with notes() as db:
        db.execute("UPDATE runs SET finished = ? WHERE rowid = ?", (time.time(), _rows.pop(task_id, None)))


def forget() -> None:
    """Forget all runs."""
    with notes() as db:
        db.execute("DELETE FROM runs")
