"""The tasks of notebook 07, When a call fails."""

import random
import time
from email.utils import parsedate_to_datetime

import requests
from celery.exceptions import SoftTimeLimitExceeded
from requests.exceptions import ChunkedEncodingError

from tasks import app, fetch_url


@app.task(bind=True, max_retries=3)
def fetch_fixed(self, url):
    try:
        return fetch_url(url)
    except requests.RequestException as error:
        raise self.retry(countdown=0.5, exc=error)


GROWING = {"retry_backoff": 1, "retry_jitter": False}


@app.task(autoretry_for=(requests.RequestException,), max_retries=3, **GROWING)
def fetch_growing(url):
    return fetch_url(url)


@app.task(bind=True, max_retries=9)
def come_back_growing(self, url):
    try:
        return fetch_url(url)
    except requests.RequestException as error:
        wait = min(600, 6 * 2**self.request.retries)  # seconds: 6, 12, 24 …
        raise self.retry(countdown=wait, exc=error)


@app.task(bind=True, max_retries=9)
def come_back_random(self, url):
    try:
        return fetch_url(url)
    except requests.RequestException as error:
        longest = min(600, 6 * 2**self.request.retries)  # seconds: 6, 12, 24 …
        raise self.retry(countdown=random.uniform(0, longest), exc=error)


LONGEST = 600  # seconds: nobody waits longer, whatever the server says


def asked_to_wait(response):
    """The seconds that the server asks for in Retry-After; one if it does not."""
    text = response.headers.get("Retry-After", "1")
    if text.isdigit():
        return min(int(text), LONGEST)
    return min(max(parsedate_to_datetime(text).timestamp() - time.time(), 1), LONGEST)


PASSING = {408, 429, 500, 502, 503, 504}
BROKEN = (requests.ConnectionError, requests.Timeout, ChunkedEncodingError)


@app.task(bind=True, max_retries=3)
def fetch_wisely(self, url):
    try:
        return fetch_url(url)
    except BROKEN as error:
        raise self.retry(countdown=0.5, exc=error)
    except requests.HTTPError as error:
        if error.response.status_code not in PASSING:
            raise  # asking again will not help
        raise self.retry(countdown=asked_to_wait(error.response), exc=error)


@app.task
def fetch_careless(url):
    return requests.get(url).json()  # no timeout: it may wait for ever


@app.task
def fetch_careful(url):
    return requests.get(url, timeout=(3.05, 0.5)).json()  # seconds: connect, read


@app.task(soft_time_limit=1)
def fetch_limited(url):
    try:
        return requests.get(url).json()
    except SoftTimeLimitExceeded:
        return "gave up, and tidied up"
