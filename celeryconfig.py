"""Celery's settings for this project: one line each, with its reason, and where a
notebook shows it.

`tasks.py` loads this module. Names and defaults:
https://docs.celeryq.dev/en/stable/userguide/configuration.html

A project of yours needs more: time limits, and limits for a Redis that does not answer.
`project/photos/settings.py` has these.
"""

import os

# Where messages wait (broker) and where results are kept (result backend). One Redis
# does both here, for simplicity (notebook 02, "The app and its settings").
broker_url = result_backend = os.environ.get("REDIS_URL", "redis://localhost:6379/0")

# JSON alone, both ways: whoever can write to the queue can then send data, never code,
# as a pickle could (notebook 02, "Pickle runs what it reads").
task_serializer = result_serializer = "json"
accept_content = ["json"]

# A task that runs says so: without this, STARTED is never seen and a running task looks
# PENDING (notebook 03, "A worker comes").
task_track_started = True

# Each process reserves one task, not the default of four: right for slow tasks, of
# which then at most one waits behind a busy process while another one is idle
# (notebook 04, "Two workers, one queue").
worker_prefetch_multiplier = 1

# Results are read within seconds here, so Redis keeps them an hour, not the default
# day (notebook 03, "One word, seven fates").
result_expires = 3600  # seconds

# A message that is not acknowledged within this time goes to another worker, too. So it
# must be longer than all that can pass before that, together: a retry delay or
# countdown, the wait for a free process, and the run, if the task acknowledges late.
# This is the default, stated because it is the one to know (notebook 09, "Too
# impatient").
broker_transport_options = {"visibility_timeout": 3600}  # seconds

# A worker without its Redis waits for it and does not exit, at its start and later. By
# default it gives up after a hundred tries, which take about three quarters of an hour.
broker_connection_retry_on_startup = True
broker_connection_max_retries = None  # try for ever

# The course's own, for its pictures; leave it out unless a monitor of yours listens:
# workers tell when each task is sent, received, started and finished (notebook 05,
# "Five tasks, five processes").
task_send_sent_event = worker_send_task_events = True
