"""The exercise of notebook 06, Your own project: its check, a hint, and one
solution."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import lab
from lab.cells.exercises import hint, in_file

MINUTE = 60  # seconds
# What a web server's thread finds, and with an argument what the worker answers.
LOOK = """
import json, sys
from threading import Thread
from prices import app, price

def look():
    found = {"broker": price.app.broker_connection().as_uri(include_password=True)}
    found["limit"] = app.conf.task_time_limit
    if len(sys.argv) > 1:
        photos = int(sys.argv[1])
        try:
            found["price"] = price.delay(photos).get(timeout=20)
        except Exception as error:
            found["error"] = f"{type(error).__name__}: {error}"
    print(json.dumps(found))

thread = Thread(target=look)
thread.start()
thread.join()
"""


@hint("Ask two questions: where does it send? Which settings are in force?")
def check_first_hour() -> None:
    assert Path("prices.py").is_file(), "run the exercise cell first"
    found = _look()
    redis = os.environ["REDIS_URL"]
    assert found["broker"].rstrip("/") == redis.rstrip("/"), (
        f"in a thread, price.delay would write to {found['broker'].split(':')[0]}://"
    )
    assert found["limit"] == MINUTE, f"the task's time limit is {found['limit']}"
    command = "celery -A prices worker --concurrency 1 --without-mingle --loglevel INFO"
    worker = lab.terminal(command)
    try:
        answers = {photos: _look(photos) for photos in (2, 7)}
    finally:
        worker.kill()
    for photos, found in answers.items():
        assert "error" not in found, f"price raised {found['error']}"
        price = 5 + 2 * photos
        assert found["price"] == price, f"{photos} photos cost {found['price']}"


def _look(*arguments: int) -> dict[str, Any]:
    command = [sys.executable, "-c", LOOK, *map(str, arguments)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=50)
    last = (said.stderr.strip().splitlines() or ["nothing"])[-1]
    assert said.stdout, f"prices.py does not run: {last}"
    return json.loads(said.stdout.splitlines()[-1])


@in_file("prices.py")
def solve_first_hour() -> Any:
    import os

    from celery import Celery

    REDIS = os.environ.get("REDIS_URL", "redis://localhost")
    app = Celery("prices", broker=REDIS, backend=REDIS)
    app.conf.task_time_limit = 60  # seconds

    @app.task  # or shared_task, and app.set_default()
    def price(photos):
        return 5 + 2 * photos

    return price
