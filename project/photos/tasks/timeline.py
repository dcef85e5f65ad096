"""Tasks that read a user's timeline."""

import os

import requests
from celery import shared_task

FACEBOOK_URL = os.environ.get("FACEBOOK_URL", "http://localhost:8010")
EDGES = ("photos", "posts", "likes", "friends", "events")


@shared_task
def read_edge(user: str, edge: str) -> list[str]:
    """The names of what one edge of a user lists.

    Raises `requests.HTTPError` for a status of 400 or more, and other errors of
    `requests` if Facebook does not answer.
    """
    url = f"{FACEBOOK_URL}/v1/{user}/{edge}"
    response = requests.get(url, timeout=(3.05, 30))
    response.raise_for_status()
    return [entry["name"] for entry in response.json()["data"]]
