"""The exercises of notebook 12, A thousand URLs: for each its check, a hint, and one
solution."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from celery import group

import lab
from lab.cells.exercises import hint
from notebooks.fetching import asked_of_redis
from tasks import app, fetch_url

SortOut = Callable[[list[str]], dict[str, Any]]
LATENCY = 0.4  # seconds
MOST_OPENED = 0.5  # connections for each call


@hint(
    "An HTTPError has a response with a status_code. An error without one is no answer."
)
def check_sort_out(sort_out: SortOut) -> None:
    site = f"{lab.fb.url}/v1/ada"
    good = [f"{site}/{edge}?latency={LATENCY}" for edge in ("photos", "posts")]
    for_now = [f"{site}/{edge}?latency={LATENCY}" for edge in ("likes", "events")]
    for_ever = [f"{site}/{edge}" for edge in ("albums", "videos")]
    urls = [for_ever[0], good[0], *for_now, for_ever[1], good[1]]
    pages = {url: fetch_url(url) for url in good}

    lab.fb.fail("likes", status=503, times=1)
    lab.fb.fail("events", drop=True, times=1)
    lab.fb.forget()
    try:
        found = sort_out(urls)
    except requests.RequestException as error:
        told = f"a {type(error).__name__} ended it: two pages had come, and are lost"
        raise AssertionError(told) from None
    finally:
        lab.fb.heal()
    seen = lab.fb.witness()

    parts = {"pages", "again", "never"}
    assert set(found) == parts, f"a dict with {', '.join(sorted(parts))}"
    arrivals = [request.arrival for request in seen.requests]
    known = len(good + for_now)  # the witness leaves out what Facebook does not know
    asked = f"Facebook was asked {len(arrivals)} times, for {known} URLs that it knows"
    assert len(arrivals) == known, asked
    at_once = max(arrivals) - min(arrivals) < LATENCY
    assert at_once, "a call waited for the answer of another one"
    assert found["pages"] == pages, "pages holds the pages that came, by their URLs"
    again = "again: what may go well the next time, in the order of the URLs"
    assert found["again"] == for_now, again
    never = "never: what fails each time, in the order of the URLs"
    assert found["never"] == for_ever, never


def solve_sort_out() -> SortOut:
    def sort_out(urls):
        found = {"pages": {}, "again": [], "never": []}
        with ThreadPoolExecutor(len(urls)) as pool:
            calls = {url: pool.submit(fetch_url, url) for url in urls}
        for url, call in calls.items():
            error = call.exception()
            answer = getattr(error, "response", None)
            if error is None:
                found["pages"][url] = call.result()
            elif answer is not None and answer.status_code == 404:
                found["never"].append(url)
            else:
                found["again"].append(url)
        return found

    return sort_out


@hint("Which backend does each greenlet open? And how many may use a shared one?")
def check_green_settings(greenlets: int, settings: Mapping[str, Any]) -> None:
    assert greenlets == 150, f"150 greenlets, not {greenlets!r}"
    page = f"{lab.fb.url}/v1/ada/photos?limit=1&latency=0.1"
    calls = group(fetch_url.s(page) for _ in range(100))
    yours = lab.worker(greenlets, "gevent", "yours", settings=settings)
    try:
        ask = app.control.inspect([yours.node], limit=1, timeout=10)
        [conf] = ask.conf().values()
        most = conf.get("redis_max_connections") or 100  # as redis-py has it
        if conf.get("result_backend_thread_safe"):
            told = f"a pool of {most} connections has none for {greenlets - most}"
            assert most >= greenlets, told
        for _ in range(2):  # the second time, there are connections in the pools
            asked = asked_of_redis(
                lambda: calls.apply_async(queue="yours").get(timeout=60)
            )
    finally:
        yours.kill()

    opened = asked["connections"]
    told = f"each call opened {opened:.2f} connections to Redis"
    assert opened < MOST_OPENED, told


def solve_green_settings() -> tuple[int, dict[str, Any]]:
    greenlets = 150
    settings = {
        "result_backend_thread_safe": True,
        "redis_max_connections": greenlets,
    }
    return greenlets, settings
