"""The tasks of notebook 07b, Twice is not once."""

import os

import requests

from tasks import app

BANK = os.environ.get("FAKE_FB_URL", "http://localhost:8000") + "/v1/shop/charges"
CENTS = 500


@app.task
def bury(request, error, traceback):
    """Put the failed call into the queue `dead`, and note where it came from."""
    origin = {"queue": request.delivery_info["routing_key"], "reason": repr(error)}
    call = request.task, request.args, request.kwargs
    app.send_task(*call, task_id=request.id, queue="dead", headers=origin)


def take(order, key=None):
    """Ask the bank for the money of this order. It needs 0.3 s for an answer."""
    form = {"order": order, "cents": CENTS}
    headers = {"Idempotency-Key": key} if key else {}
    url = f"{BANK}?latency=0.3"
    requests.post(url, data=form, headers=headers, timeout=10).raise_for_status()


AGAIN = {"autoretry_for": (requests.RequestException,), "default_retry_delay": 0}


@app.task(**AGAIN)
def charge(order):
    take(order)


@app.task(**AGAIN)
def charge_then_mark(order):
    redis = app.backend.client
    if not redis.exists(f"paid:{order}"):
        take(order)
        redis.set(f"paid:{order}", 1)


@app.task(**AGAIN)
def mark_then_charge(order):
    redis = app.backend.client
    if redis.set(f"paid:{order}", 1, nx=True):
        take(order)


@app.task(**AGAIN)
def charge_once(order):
    take(order, key=order)
