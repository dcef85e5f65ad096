"""The exercise of notebook 06b, Accidents: its check, a hint, and one solution."""

import os
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


@hint("Names, a border, a coroutine: each has a section above.")
def check_invoices() -> None:
    assert Path("invoices.py").is_file(), "run the exercise cell first"
    Path("stranger.py").write_text(STRANGER)
    stranger = lab.terminal(f"celery -A stranger {WORKER}")
    command = [sys.executable, "invoices.py"]
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    script = subprocess.Popen(command, text=True, env=dict(os.environ), **streams)
    worker = lab.terminal(f"celery -A invoices {WORKER}")
    try:
        printed, errors = script.communicate(timeout=40)
        number = printed.strip()
        last = (errors.strip().splitlines() or ["nothing"])[-1]
        taken = "unregistered" in stranger.log()
        assert not taken, "the stranger took the message, or the task has a wrong name"
        assert number == "14", f"it printed {number!r}, and ended with {last}"
        assert "succeeded" in worker.log(), "no worker ran the task"
    finally:
        script.kill()
        worker.kill()
        stranger.kill()


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
