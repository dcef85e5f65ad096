"""Celery's settings, one line each, with its reason. The site and the worker read them.

Names and defaults:
https://docs.celeryq.dev/en/stable/userguide/configuration.html
"""

import os

broker_url = result_backend = os.environ.get("REDIS_URL", "redis://localhost:6379/0")

# Two projects on one Redis: without a prefix of its own, each worker takes messages of
# the other one.
PREFIX = {"global_keyprefix": "photos:"}

# A visitor does not wait 19 seconds for a Redis that is down. For messages:
broker_transport_options = PREFIX | {"socket_timeout": 5}  # seconds
task_publish_retry_policy = {"max_retries": 1}

# For results:
result_backend_transport_options = PREFIX | {"retry_policy": {"timeout": 1}}  # seconds
redis_socket_timeout = 5  # seconds

# A task that runs says so, and a result is kept as long as the site asks for it.
task_track_started = True
result_expires = 3600  # seconds

# A task that hangs ends: first by an exception inside it, then by the end of its
# process.
task_soft_time_limit = 50  # seconds
task_time_limit = 60  # seconds

# A worker without its Redis waits for it, at its start and later.
broker_connection_retry_on_startup = True
broker_connection_max_retries = None  # try for ever
