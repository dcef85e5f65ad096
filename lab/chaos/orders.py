"""What came of the orders in a storm, counted in the shop's own database. All questions to its tables are here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    """The shop's books at one moment."""

    orders: int
    tries: int  # how often they were sent
    accepted: int  # how often Redis took one
    runs: int  # of the task
    run_orders: int  # that were run once or more often
    charged: int
    uncharged: int


@dataclass(frozen=True)
class TaskRun:
    """One run of the task. Moments are seconds since the Unix epoch; `ended` is None where its process was killed."""

    order: str
    node: str
    started: float
    ended: float | None


def count() -> Counts:
    """The books as they are now."""
    from shop import database

    with database() as db:
        orders, tries, accepted = db.execute("SELECT count(*), sum(tries), sum(accepted) FROM outbox").fetchone()
        runs, run_orders = db.execute("SELECT count(*), count(DISTINCT key) FROM runs").fetchone()
        (charged,) = db.execute("SELECT balance FROM account").fetchone()
        (without,) = db.execute("SELECT count(*) FROM outbox WHERE id NOT IN (SELECT key FROM charges)").fetchone()
    return Counts(orders, tries, accepted, runs, run_orders, charged, without)


def accepted(ids: list[str]) -> set[str]:
    """Those that Redis has accepted once or more often."""
    from shop import database

    with database() as db:
        return set(ids) & {id for (id,) in db.execute("SELECT id FROM outbox WHERE accepted > 0")}


def last_run(node: str) -> float:
    """When the worker of this name last started a run, in seconds since the Unix epoch; 0 if it has not."""
    from shop import database

    with database() as db:
        return db.execute("SELECT max(started) FROM runs WHERE node = ?", (node,)).fetchone()[0] or 0.0


def history() -> tuple[list[TaskRun], list[float], list[float]]:
    """All runs as they started, and the moments at which orders were sent, and charged."""
    from shop import database

    with database() as db:
        runs = [TaskRun(*row) for row in db.execute("SELECT key, node, started, finished FROM runs ORDER BY started")]
        sent = [at for (at,) in db.execute("SELECT created FROM outbox ORDER BY created")]
        charged = [at for (at,) in db.execute("SELECT at FROM charges ORDER BY at")]
    return runs, sent, charged
