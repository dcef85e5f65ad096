"""The exercises of notebook 08, Processes, threads and CPU: for each its check, a hint,
and one solution."""

from collections.abc import Mapping
from typing import Any

from celery import Celery

import lab
from lab.cells.exercises import hint
from tasks import fetch_url

CALLS, LATENCY, LIMIT = 20, 0.5, 2  # the last two in seconds
HANGS, TIME_LIMIT = 5, 1  # seconds
MEGABYTES = 150
LONG = 7  # times the rounds of the notebook: 1.4 seconds of processor time
PHOTOS = 5
KNOWS: dict[str, Any] = {"include": "notebooks.fingerprints", "wait": False}


def _page(latency: float) -> str:
    return f"{lab.fb.url}/v1/ada/photos?latency={latency}"


@hint("Which pool waits for little memory, and obeys a hard limit meanwhile?")
def check_slow_calls(pool: str, concurrency: int) -> None:
    names = ["prefork", "threads", "gevent", "solo"]
    assert pool in names, f"pool is one of {', '.join(names)}, not {pool!r}"
    whole = isinstance(concurrency, int) and 1 <= concurrency <= 100
    assert whole, f"concurrency is a whole number up to 100, not {concurrency!r}"

    yours = lab.worker(concurrency, pool, "yours")
    try:
        warm = [_slow_call(0.1) for _ in range(min(concurrency, CALLS))]
        _wait(yours, warm)
        with lab.watch_cpu("yours", yours) as usage:
            hangs = _slow_call(HANGS, time_limit=TIME_LIMIT)
            _wait(yours, [_slow_call(LATENCY) for _ in range(CALLS)])
            _wait(yours, [hangs])
        megabytes = lab.memory(yours).fair
    finally:
        yours.kill()

    took = f"it took {usage.took:.2f} s"
    no_limit = f"the time limit did nothing, and {took}"
    assert hangs.state == "FAILURE", no_limit
    assert usage.took < LIMIT, f"{took}, not less than {LIMIT} s"
    assert megabytes < MEGABYTES, f"fast enough, but it takes {megabytes:.1f} MB"


def _slow_call(latency: float, **limits: float) -> Any:
    return fetch_url.apply_async([_page(latency)], queue="yours", **limits)


def _wait(worker: Any, tickets: list[Any]) -> None:
    for ticket in tickets:
        worker.wait_for("all was over", ticket.ready, timeout=60)


def _wait_until_begun(worker: Any, tickets: list[Any]) -> None:
    def begun() -> bool:
        return all(ticket.state != "PENDING" for ticket in tickets)

    worker.wait_for("all had begun", begun, timeout=60)


def solve_slow_calls() -> tuple[str, int]:
    pool, concurrency = "gevent", 40
    return pool, concurrency


@hint("Which tasks only wait? Greenlets share one thread, whoever holds the lock.")
def check_routes(routes: Mapping[str, Any], rounds: int, hashes: int) -> None:
    computes = {
        "notebooks.fingerprints.compute": LONG * rounds,
        "notebooks.fingerprints.sha256": LONG * hashes,
    }
    # An app reads its routes once, so this site has an app of its own.
    site = Celery("site", config_source="celeryconfig", set_as_current=False)
    site.conf.task_routes = routes
    for name in [*computes, "tasks.fetch_url"]:
        queue = site.amqp.router.route({}, name)["queue"].name
        assert queue in ("waits", "computes"), f"no worker reads {queue}, for {name}"

    waits = lab.worker(10, "gevent", "waits", **KNOWS)
    both = [lab.worker(2, "prefork", "computes", **KNOWS), waits]
    try:
        for worker in both:
            worker.ready()
        long = {name: site.send_task(name, [n]) for name, n in computes.items()}
        _wait_until_begun(waits, list(long.values()))
        photos = [
            site.send_task("tasks.fetch_url", [_page(0.2)]) for _ in range(PHOTOS)
        ]
        _wait(waits, photos)
        over = [name.rpartition(".")[2] for name in long if long[name].ready()]
        _wait(waits, list(long.values()))
    finally:
        for worker in both:
            worker.kill()

    assert not over, f"the photos came after {' and '.join(over)}"


def solve_routes() -> dict[str, dict[str, str]]:
    routes = {
        "tasks.fetch_url": {"queue": "waits"},
        "notebooks.fingerprints.compute": {"queue": "computes"},
        "notebooks.fingerprints.sha256": {"queue": "computes"},
    }
    return routes
