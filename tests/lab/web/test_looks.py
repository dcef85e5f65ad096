"""`lab.longest_look`: what somebody feels who only looks while a site is busy."""

import pytest

from tests.lab.web.test_site import DEAD_PROXY


def look_around():
    """A look at a site that blocks, at one that awaits, and while something fails."""
    import asyncio
    import time

    import requests
    import tornado.web

    import lab

    class Page(tornado.web.RequestHandler):
        looked = 0

        def get(self):
            Page.looked += 1
            self.write("photos")

    class Blocking(tornado.web.RequestHandler):
        def post(self):
            time.sleep(0.5)

    class Awaiting(tornado.web.RequestHandler):
        async def post(self):
            await asyncio.sleep(0.5)

    pages = {"/page": Page, "/blocking": Blocking, "/awaiting": Awaiting}
    site = lab.serve(tornado.web.Application(list(pages.items())))
    free = requests.Session()
    free.trust_env = False

    def look(page):
        return lab.longest_look(f"{site.url}/page", lambda: free.post(f"{site.url}/{page}", timeout=30))

    seen = {"blocking": look("blocking"), "looks": Page.looked, "awaiting": look("awaiting")}
    seen["more looks"] = Page.looked
    try:
        lab.longest_look(f"{site.url}/page", lambda: 1 / 0)
    except ZeroDivisionError as error:
        seen["raised"] = str(error)
    return seen


@pytest.fixture(scope="module")
def seen(shared_place):
    outcome = shared_place.run_lab(look_around, **DEAD_PROXY)
    assert (outcome.returncode, outcome.out, outcome.err) == (0, "", "")
    return outcome.evidence


def test_a_site_that_blocks_keeps_others_waiting(seen):
    assert 0.4 < seen["blocking"] < 5


def test_a_site_that_awaits_does_not(seen):
    assert seen["awaiting"] < 0.4
    assert seen["more looks"] - seen["looks"] > 5  # again and again


def test_what_fails_meanwhile_is_raised(seen):
    assert seen["raised"] == "division by zero"
