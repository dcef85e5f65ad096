"""The exercise of notebook 08b, What a fork copies: its check, a hint, and one
solution."""

from types import ModuleType
from typing import Any

import lab
from lab.cells.exercises import hint, in_module
from notebooks.forks import one_interrupted

USERS = ["ada", "bob"]
QUEUE = "pages"


@hint("What is made at import is made before the fork. When could it be made instead?")
def check_pages(my_pages: ModuleType) -> None:
    page_of: Any = getattr(my_pages, "page_of", None)
    assert hasattr(page_of, "delay"), "my_pages has no task page_of"
    fork = {"worker_pool_start_method": "fork"}
    modules = "my_pages,notebooks.forks"
    worker = lab.worker(2, queues=QUEUE, include=modules, settings=fork)
    try:
        pages = one_interrupted(worker, page_of, USERS)
        for user, (owner, _) in zip(USERS, pages, strict=True):
            assert owner == user, f"{user} sees the friends of {owner}"
        lines = {tuple(line) for _, line in pages}
        assert len(lines) == 2, "both processes use one connection"
        for _ in range(4):
            _, line = page_of.apply_async(["ada"], queue=QUEUE).get(timeout=30)
            lines.add(tuple(line))
        assert len(lines) == 2, "a process opens a connection for each call"
    finally:
        worker.kill()


@in_module("my_pages")
def solve_pages() -> object:
    import json
    from http.client import HTTPConnection
    from os import environ

    from celery.signals import worker_process_init

    from notebooks.forks import owner_of
    from tasks import app

    facebook = None

    @worker_process_init.connect
    def connect(**_):
        global facebook
        facebook = HTTPConnection(environ["FAKE_FB_URL"].removeprefix("http://"))

    @app.task
    def page_of(user):
        facebook.request("GET", f"/v1/{user}/friends?latency=0.5")
        page = json.load(facebook.getresponse())
        return owner_of(page), facebook.sock.getsockname()

    return page_of
