"""The exercise of notebook 06b, Accidents: its check, a hint, and one solution."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import lab
from lab.cells.exercises import hint, in_file

STRANGER = """
import os
from celery import Celery

REDIS = os.environ["REDIS_URL"]
app = Celery("stranger", broker=REDIS, backend=REDIS)
"""
WORKER = "worker --concurrency 1 --without-mingle --loglevel INFO"
# In which list of which database a project's messages wait.
PLACE = """
from {module} import app

options = app.conf.broker_transport_options
with app.connection() as connection:
    database = connection.virtual_host or 0
print(database, options.get("global_keyprefix"), app.conf.task_default_queue)
"""


@hint("Names, a border, a coroutine: each has a section above.")
def check_invoices() -> None:
    assert Path("invoices.py").is_file(), "run the exercise cell first"
    Path("stranger.py").write_text(STRANGER)
    mine, strangers = (
        _run("-c", PLACE.format(module=m)) for m in ("invoices", "stranger")
    )
    assert mine.stdout, f"invoices.py ended with {_last(mine)}"
    apart = mine.stdout != strangers.stdout
    assert apart, "the worker of another project takes its messages"
    stranger = lab.terminal(f"celery -A stranger {WORKER}")
    worker = lab.terminal(f"celery -A invoices {WORKER}")
    try:
        said = _run("invoices.py")
        number = said.stdout.strip()
        failed = f"it printed {number!r}, and ended with {_last(said)}"
        assert number == "14", failed
        assert "succeeded" in worker.log(), "no worker ran the task"
    finally:
        worker.kill()
        stranger.kill()


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=40)


def _last(said: subprocess.CompletedProcess[str]) -> str:
    """The last line of its errors."""
    return (said.stderr.strip().splitlines() or ["no error"])[-1]


@in_file("invoices.py")
def solve_invoices() -> Any:
    import os

    from celery import Celery

    REDIS = os.environ.get("REDIS_URL", "redis://localhost")
    app = Celery("invoices", broker=REDIS, backend=REDIS)
    prefix = {"global_keyprefix": "invoices:"}
    app.conf.broker_transport_options = prefix
    app.conf.result_backend_transport_options = prefix

    @app.task
    def total(prices):
        return sum(prices)

    if __name__ == "__main__":
        print(total.delay([5, 9]).get(timeout=10))
