"""The tasks of this course: functions that a Celery worker runs. Start one from this folder:

celery -A tasks worker --concurrency 5
"""

from typing import Any

import requests
from celery import Celery

app = Celery("tasks")
app.config_from_object("celeryconfig")

#: Seconds to wait for a connection, and for each next piece of an answer. Without them a server that
#: never answers would keep a worker process for ever.
TIMEOUT = (3.05, 30)


@app.task
def fetch_url(url: str) -> Any:
    """GET one URL and return the JSON it answers with.

    Raises `requests.HTTPError` on a status of 400 and above, `requests.Timeout` after `TIMEOUT`, and
    `requests.JSONDecodeError` where the answer is not JSON.
    """
    response = requests.get(url, timeout=TIMEOUT)
    response.raise_for_status()
    return response.json()
