"""The exercise of notebook 11, Workflows: its check, a hint, and one solution."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import lab
from lab.cells.exercises import hint, in_module
from lab.record.run import Run
from notebooks.canvas import EDGES, other_worker, url
from tasks import fetch_url

FAULTS: dict[str, dict[str, Any]] = {
    "no error": {},
    "a status 500": {"status": 500},
    "a dropped connection": {"drop": True},
}


@hint("A member that raises makes the body fail. Which task could catch its error?")
def check_gaps(gaps: ModuleType) -> None:
    urls = [url("ada", edge, latency=0.5) for edge in EDGES]
    whole = [len(fetch_url(url("ada", edge, latency=0))["data"]) for edge in EDGES]
    with other_worker(5, include="gaps"):
        for what, fault in FAULTS.items():
            made, run = _made(gaps.whole_page, urls, fault, f"With {what}")
            gap = EDGES.index("likes")
            right = [*whole[:gap], None, *whole[gap + 1 :]] if fault else whole
            assert not isinstance(made, Exception), (
                f"with {what} nobody gets a page, but {type(made).__name__}"
            )
            assert made == right, f"with {what} the page is {made}, and not {right}"
            assert run.peak == len(EDGES), (
                f"with {what} the server saw {run.peak} calls at once, not {len(EDGES)}"
            )


def _made(
    whole_page: Callable[[list[str]], Any],
    urls: list[str],
    fault: dict[str, Any],
    title: str,
) -> tuple[Any, Run]:
    """The page, or the error in its place; and what ran."""
    if fault:
        lab.fb.fail("likes", times=1, **fault)
    try:
        with lab.watch(title) as run:
            try:
                made = whole_page(urls).delay().get(timeout=30)
            except Exception as error:
                made = error
    finally:
        lab.fb.heal()
    return made, run


@in_module("gaps")
def solve_gaps() -> Callable[[list[str]], Any]:
    from celery import group

    from tasks import app, fetch_url

    @app.task
    def fetch_or_gap(url):
        try:
            return fetch_url(url)
        except Exception:
            return None

    @app.task
    def page_with_gaps(answers):
        return [answer and len(answer["data"]) for answer in answers]

    def whole_page(urls):
        return group(fetch_or_gap.s(url) for url in urls) | page_with_gaps.s()

    return whole_page
