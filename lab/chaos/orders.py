"""What came of the orders in a storm, counted in the shop's own database. All questions to its tables are here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    """The shop's books at one moment."""

    orders: int
    runs: int  # of the task
    run_orders: int  # that were run once or more often
    charged: int
    uncharged: int
    given_up: int  # that wait for a person, or soon will


@dataclass(frozen=True)
class TaskRun:
    """One run of the task. Moments are seconds since the Unix epoch; `ended` is None where its process was killed."""

    order: str
    node: str
    started: float
    ended: float | None


def count(most_tries: int) -> Counts:
    """The books as they are now."""
    from shop import database

    from .runs import notes

    with notes() as db:
        runs, run_orders = db.execute("SELECT count(*), count(DISTINCT key) FROM runs").fetchone()
    with database() as db:
        (orders,) = db.execute("SELECT count(*) FROM outbox").fetchone()
        (charged,) = db.execute("SELECT count(*) FROM charges").fetchone()
        (without,) = db.execute("SELECT count(*) FROM outbox WHERE id NOT IN (SELECT id FROM charges)").fetchone()
        late = "SELECT count(*) FROM outbox WHERE done IS NULL AND tries >= ?"
        (given_up,) = db.execute(late, (most_tries,)).fetchone()
    return Counts(orders, runs, run_orders, charged, without, given_up)


def done() -> set[str]:
    """The ids of those that are done."""
    from shop import database

    with database() as db:
        return {id for (id,) in db.execute("SELECT id FROM outbox WHERE done IS NOT NULL")}


def last_run(node: str) -> float:
    """When the worker of this name last started a run, in seconds since the Unix epoch; 0 if it has not."""
    from .runs import notes

    with notes() as db:
        return db.execute("SELECT max(started) FROM runs WHERE node = ?", (node,)).fetchone()[0] or 0.0


def history() -> tuple[list[TaskRun], list[float], list[float]]:
    """All runs as they started, and the moments at which orders were sent, and charged."""
    from shop import database

    from .runs import notes

    with notes() as db:
        runs = [TaskRun(*row) for row in db.execute("SELECT key, node, started, finished FROM runs ORDER BY started")]
    with database() as db:
        sent = [at for (at,) in db.execute("SELECT created FROM outbox ORDER BY created")]
        charged = [at for (at,) in db.execute("SELECT at FROM charges ORDER BY at")]
    return runs, sent, charged
