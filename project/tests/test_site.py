"""The site, without a worker."""

import os
import subprocess
import sys
import time

from photos import app
from photos.site import signer, site

NOBODY = "redis://127.0.0.1:1/0"  # nothing listens there


def test_an_address_that_the_site_never_gave():
    assert site.test_client().get("/results/123").status_code == 404


def test_an_address_whose_result_has_expired(monkeypatch):
    ticket = signer.dumps("an-id")
    hours_later = time.time() + 2 * app.conf.result_expires
    monkeypatch.setattr("time.time", lambda: hours_later)
    assert site.test_client().get(f"/results/{ticket}").status_code == 410


def test_the_page():
    assert "A timeline" in site.test_client().get("/").text


def test_without_redis_it_says_so_soon():
    # Celery reads its settings once, so other ones need a process of their own.
    code = """if True:
        from photos.site import site
        from photos.site import signer
        visitor = site.test_client()
        print(visitor.post("/timelines/ada").status_code)
        print(visitor.get("/results/" + signer.dumps("an-id")).status_code)
    """
    begin = time.monotonic()
    said = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"REDIS_URL": NOBODY},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert said.stdout.split() == ["503", "503"], said.stderr
    assert time.monotonic() - begin < 10
