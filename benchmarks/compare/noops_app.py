"""The Celery app whose no-ops `noops.py` counts. Settings come from the environment, as JSON."""

import json
import os
import time

from celery import Celery
from kombu import Queue

from .connection import REDIS_URL

SETTINGS = json.loads(os.environ.get("NOOP_SETTINGS", "{}"))
WITHOUT_ACK = os.environ.get("NOOP_WITHOUT_ACK")  # a queue whose messages need no acknowledgement

app = Celery("noops", broker=REDIS_URL, backend=REDIS_URL)
app.conf.update(broker_connection_retry_on_startup=True, **SETTINGS)
if WITHOUT_ACK:
    app.conf.task_queues = [Queue(WITHOUT_ACK, routing_key=WITHOUT_ACK, no_ack=True)]


@app.task
def noop(mark: str = "") -> None:
    """Nothing. With a mark, note the time in Redis."""
    if mark:
        app.backend.client.set(mark, time.time())
