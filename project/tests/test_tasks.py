"""A task is a function: called, it needs neither Redis nor a worker."""

import pytest
import requests

from photos.tasks.timeline import read_edge


def test_read_edge(facebook_url):
    assert read_edge("ada", "photos") == [
        "photos 1 of ada",
        "photos 2 of ada",
        "photos 3 of ada",
    ]


def test_unknown_edge(facebook_url):
    with pytest.raises(requests.HTTPError, match="404"):
        read_edge("ada", "shoes")
