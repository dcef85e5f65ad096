"""Celery's settings for this project: one line each, with its reason.

`tasks.py` loads this module. Names and defaults:
https://docs.celeryq.dev/en/stable/userguide/configuration.html
"""

import os

# Where messages wait (broker) and where results are kept (result backend). One Redis
# does both.
broker_url = result_backend = os.environ.get("REDIS_URL", "redis://localhost:6379/0")

# JSON alone, both ways: whoever can write to the queue can then send data, never code,
# as a pickle could.
task_serializer = result_serializer = "json"
accept_content = ["json"]

# A task that runs says so: without this, STARTED is never seen and a running task looks
# PENDING.
task_track_started = True

# Tell monitors (and the pictures of this course) when each task is sent, received,
# started and finished.
task_send_sent_event = worker_send_task_events = True

# Each process reserves one task, not the default of four: right for slow tasks, of
# which then at most one waits behind a busy process while another one is idle.
worker_prefetch_multiplier = 1

# Results are read within seconds here, so Redis keeps them an hour, not the default
# day.
result_expires = 3600  # seconds

# A task that is not acknowledged within this time goes to another worker, so it must be
# longer than the longest task, retry delay or countdown. This is the default, stated
# explicitly because it is the one to know.
broker_transport_options = {"visibility_timeout": 3600}  # seconds

# A worker without its Redis waits for it and does not exit, at its start and later. By
# default it gives up after a hundred tries, which take about three quarters of an hour.
broker_connection_retry_on_startup = True
broker_connection_max_retries = None  # try for ever
