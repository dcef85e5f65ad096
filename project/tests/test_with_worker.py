"""The whole: the site, Redis, and a worker. It needs a Redis: REDIS_URL names it."""

import os
import subprocess
import sys
import time
import uuid

import pytest
from redis import Redis, RedisError

REDIS_URL = os.environ.get("REDIS_URL", "redis://localhost:6379/0")


@pytest.fixture(scope="module")
def worker(facebook_url, tmp_path_factory):
    """The log of a worker that is ready. It reads a queue of its own."""
    try:
        Redis.from_url(REDIS_URL).ping()
    except RedisError:
        pytest.skip(f"no Redis at {REDIS_URL}: start one, or name it in REDIS_URL")
    from photos import app

    usual, queue = app.conf.task_default_queue, f"test-{uuid.uuid4()}"
    app.conf.task_default_queue = queue
    command = [
        "celery",
        "-A",
        "photos",
        "worker",
        "--concurrency",
        "5",
        "--queues",
        queue,
        "--loglevel",
        "INFO",
    ]
    log = tmp_path_factory.mktemp("worker") / "worker.log"
    with log.open("w") as file:
        environment = os.environ | {"FACEBOOK_URL": facebook_url}
        process = subprocess.Popen(
            [sys.executable, "-m", *command], env=environment, stdout=file, stderr=file
        )
    try:
        until(lambda: "ready." in log.read_text(), log)
        yield log
    finally:
        process.terminate()
        process.wait(timeout=60)
        app.conf.task_default_queue = usual


def until(ready, log):
    """Wait until this is true; after 60 seconds fail with the worker's log."""
    end = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.1)


def test_a_timeline(worker):
    from photos.site import site

    visitor = site.test_client()
    answer = visitor.post("/timelines/ada")
    assert answer.status_code == 202 and len(answer.json) == 5
    until(
        lambda: all(
            visitor.get(url).json["state"] == "SUCCESS" for url in answer.json.values()
        ),
        worker,
    )
    photos = visitor.get(answer.json["photos"]).json
    assert photos["result"][0] == "photos 1 of ada"


def test_a_task_that_fails_says_its_arguments_in_the_log(worker):
    from photos.tasks.timeline import read_edge

    ticket = read_edge.delay("ada", "shoes")
    until(ticket.failed, worker)
    until(
        lambda: (
            "read_edge failed with the arguments ['ada', 'shoes']" in worker.read_text()
        ),
        worker,
    )
