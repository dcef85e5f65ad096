"""`lab.longest_look`: somebody who looks at a page of a web site while the site is busy with somebody else."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import requests

from .visitors import PATIENCE_SECONDS


def longest_look(url: str, during: Callable[[], object]) -> float:
    """The longest of the waits, in seconds, of one visitor who GETs a page again and again while something else runs.

    url:    the address of the page
    during: the other thing, a function without arguments

    `during` runs in a thread, and what it raises is raised here. The visitor looks at least once, and for the last
    time before `during` is over.
    """
    with requests.Session() as session, ThreadPoolExecutor(1) as pool:
        session.trust_env = False  # no proxy between here and here
        other = pool.submit(during)
        looks = [_look(session, url)]
        while not other.done():
            looks.append(_look(session, url))
        other.result()
    return max(looks)


def _look(session: requests.Session, url: str) -> float:
    """Seconds until the whole page is there."""
    begin = time.perf_counter()
    session.get(url, timeout=PATIENCE_SECONDS)
    return time.perf_counter() - begin
