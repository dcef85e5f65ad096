"""The outages of notebook 10, When Redis fails: who notices, who works, what is lost.

`site` and `watch_worker` measure one side each, and give a row for `lab.draw_outages`.
All times are seconds since the outage began. The long runs, in which nothing happens
for minutes, are in outages.json: `make outages` measures them again.
"""

import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import redis
from celery import Celery

import lab
from lab.services.worker import Worker

STORED = Path(__file__).with_name("outages.json")
NOTICED = re.compile("Connection to broker lost|BRPOP got no reply|missed . health")
DONE = "SUCCESS"
OURS = "this notebook's"  # settings
TELLING = ("asynloop", "fire_timers", "_read_from_socket")  # functions of a stack
EVERY = 0.5  # seconds between two calls that are sent
QUIET = 2.5  # seconds without a new request, until what is missing is lost

ORDER = {
    ("stopped", "site"): "stopped: site",
    ("stopped", "worker"): "stopped for 3 s: worker",
    ("hangs", "site"): "hangs: site",
    ("hangs", "worker"): "hangs for 3 s: worker",
    ("cut", "site"): "cut off: site",
    ("cut", "worker"): "cut off: worker",
}

Row = dict[str, Any]


def stored() -> list[Row]:
    """The rows of the long runs."""
    return json.loads(STORED.read_text(encoding="utf-8"))


def find(rows: list[Row], **wanted: Any) -> Row:
    """The one row that has these values."""
    [row] = [row for row in rows if wanted.items() <= row.items()]
    return row


def panels(rows: list[Row], *settings: str) -> dict[str, list[Row]]:
    """The rows of the picture, for each kind of settings, in its order."""
    return {
        each: [
            {"name": name, "back": None} | find(rows, what=what, who=who, settings=each)
            for (what, who), name in ORDER.items()
        ]
        for each in settings
    }


# The files of a Redis


def kept(end: str, **files: bool) -> int:
    """Send five messages to a Redis with such files, end it and start it again: how
    many it has then."""
    server = lab.redis_server(**files)
    app = Celery("shelf", broker=server.url, set_as_current=False)
    for photo in range(5):
        app.send_task("tasks.fetch_url", [photo], queue="shelf")
    server.wait_until_written()
    getattr(server, end)()
    server.start()
    with redis.Redis.from_url(server.url) as client:
        return client.llen("shelf")


# Who sends


def site_app(url: str, **settings: Any) -> Celery:
    """A site's application: messages and results in this Redis, no connection yet."""
    return Celery("site", broker=url, backend=url, set_as_current=False, **settings)


def site_rows(
    what: str, default: float | None = None, ours: float | None = None
) -> list[Row]:
    """Rows of a site that had its error after so many seconds."""
    found = {"default": default, OURS: ours}
    return [
        {"what": what, "who": "site", "settings": settings, "noticed": seconds}
        for settings, seconds in found.items()
        if seconds is not None
    ]


def site(app: Celery, *, most: float, **options: Any) -> Row:
    """Send one message while something is wrong, and look at most so many seconds."""
    found: list[float] = []
    begin = time.monotonic()

    def send() -> None:
        with suppress(Exception):
            app.send_task("tasks.fetch_url", ["x"], **options).forget()
        found.append(time.monotonic() - begin)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    thread.join(most)
    noticed = found[0] if found else None
    return {"who": "site", "noticed": noticed, "back": None, "watched": most}


# Who works


def warm_up(worker: Worker) -> None:
    """One call, so that all connections of a worker with one process are there."""
    call = _send("warm", 0)
    worker.wait_for("the first call", lambda: states().get(call) == DONE, timeout=30)
    worker.wait_until_idle()  # it has told all about that call, too


def worker_behind(proxy: Any, pool: str = "prefork", **settings: Any) -> Worker:
    """A worker of one process with these settings, whose way to Redis is the proxy."""
    urls = {"broker_url": proxy.url, "result_backend": proxy.url}
    with lab.current().keeper.attempt():  # one that does not get warm is ended
        worker = lab.worker(concurrency=1, pool=pool, settings=urls | settings)
        warm_up(worker)
    return worker


def states() -> Mapping[str, str]:
    """What Redis says of each call."""
    return lab.xray().results


def keep_busy(worker: Worker, seconds: float) -> None:
    """Send a call that takes so many seconds, and return when the worker makes it."""
    call = _send("long", 0, seconds)
    worker.wait_for("the long call", lambda: call in _seen([call]), timeout=30)


def watch_worker(
    worker: Worker,
    begin: Callable[[], None],
    end: Callable[[], None] | None = None,
    *,
    lasts: float = 2,
    most: float = 30,
) -> Row:
    """Begin an outage, end it after so many seconds, and then send calls, past the
    proxy, until the worker makes one of them, or `most` seconds are over."""
    known, calls = len(worker.log()), count()
    began = time.time()
    begin()
    sent: list[str] = []
    row: Row = {"who": "worker", "noticed": None, "back": None, "watched": most}
    next_call = began + lasts
    while row["back"] is None and time.time() < began + most:
        now = time.time()
        if row["noticed"] is None and NOTICED.search(worker.log()[known:]):
            row["noticed"] = now - began
        if now >= next_call:
            if end and not sent:
                end()
            sent.append(_send("call", next(calls)))
            next_call = time.time() + EVERY
        seen = _seen(sent)
        if seen:
            row["back"] = min(seen.values()) - began
        time.sleep(0.05)
    if row["back"] is not None:
        _wait_until_quiet(worker, sent)
    failed = sum(states().get(call) == "FAILURE" for call in sent)
    lost = len(sent) - len(_seen(sent)) if row["back"] is not None else 0
    return row | {"sent": len(sent), "lost": lost, "failed": failed}


def ended_workers(runs: int, settings: Mapping[str, Any]) -> Row:
    """Kill Redis while a worker of two processes runs one long task: how many of so
    many workers end then, instead of trying again."""
    codes = []
    for _ in range(runs):
        worker = lab.worker(concurrency=2, settings=settings)
        keep_busy(worker, seconds=3)
        time.sleep(1)  # it waits for its next task, too
        lab.redis.kill()
        try:
            time.sleep(4)
            codes.append(worker.returncode)
            worker.kill()
        finally:
            lab.redis.start()
    row = {"who": "worker", "noticed": None, "back": None, "watched": 4}
    return row | {"runs": runs, "ended": codes.count(1)}


def stack(worker: Worker) -> list[str]:
    """The functions in which a worker's main thread is, the outermost first.

    At SIGUSR1 a worker writes the stacks of its threads into its log.
    """
    known = len(worker.log())
    worker.signal(signal.SIGUSR1)

    def cry() -> str | None:
        said = worker.log()[known:]
        return said if "LOCAL VARIABLES" in said else None

    said = worker.wait_for("it showed its stack", cry, timeout=20)
    return re.findall(r"line \d+, in (\S+)", said)


def _send(name: str, number: int, latency: float = 0.1) -> str:
    """Send a call whose request the mock Facebook will see under a name of its own.

    It goes straight to Redis, and its task id is the same name.
    """
    user = f"{name}-{number}-{time.time_ns()}"
    app = Celery("post", broker=os.environ["REDIS_URL"], set_as_current=False)
    url = f"{lab.fb.url}/v1/{user}/photos?latency={latency}"
    app.send_task("tasks.fetch_url", [url], task_id=user)
    app.close()
    return user


def _seen(users: list[str]) -> Mapping[str, float]:
    """When the mock Facebook was asked about them, if it was."""
    requests = lab.fb.witness().requests
    return {each.user: each.arrival for each in requests if each.user in users}


def _wait_until_quiet(worker: Worker, users: list[str]) -> None:
    """Wait until all calls are seen, or until no more come."""
    last, before = time.monotonic(), -1

    def is_over() -> bool:
        nonlocal last, before
        now = len(_seen(users))
        if now != before or lab.xray().queues.get("celery"):
            last, before = time.monotonic(), now
        return now == len(users) or time.monotonic() > last + QUIET

    worker.wait_for("all calls were made", is_over, timeout=60)
