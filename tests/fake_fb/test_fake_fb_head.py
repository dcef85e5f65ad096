"""HEAD: what GET would answer, without the body."""

import time

import pytest

CHANGING = ("Date",)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/v1/alice/posts?latency=0", 200),
        ("/v3.1/zo%C3%AB/friends?latency=0&limit=3&fields=id", 200),
        ("/v1/alice/posts?latency=0&limit=0", 400),
        ("/v1/alice/posts?latency=0&fields=x", 400),
        ("/photos/alice/1.png", 404),
        ("/control/faults", 200),
        ("/control/mail", 200),
    ],
)
def test_status_and_headers_are_those_of_get(fb, path, status):
    get, head = fb.call("GET", path), fb.call("HEAD", path)
    assert (get.status_code, head.status_code, head.content) == (status, status, b"")
    headers = [{k: v for k, v in answer.headers.items() if k not in CHANGING} for answer in (get, head)]
    assert headers[0] == headers[1]
    assert int(head.headers["Content-Length"]) == len(get.content) > 0


def test_images(fb):
    path = fb.edge(edge="photos", limit=1).json()["data"][0]["source"].removeprefix(fb.url)
    get, head = fb.call("GET", path), fb.call("HEAD", path)
    assert (head.status_code, head.headers["Content-Type"], head.content) == (200, "image/png", b"")
    assert head.headers["Content-Length"] == str(len(get.content))


def test_the_connection_goes_on(fb):
    head, get = (f"{method} / HTTP/1.1\r\nHost: x\r\n".encode() for method in ("HEAD", "GET"))
    answers = fb.raw(head + b"\r\n" + get + b"\r\n" + head + b"Connection: close\r\n\r\n")
    assert answers.count(b"HTTP/1.1 200 OK") == 3
    assert answers.count(b'"fake_fb"') == 1


def test_it_takes_the_latency_and_is_witnessed(fb):
    began = time.monotonic()
    assert fb.call("HEAD", "/v1/alice/posts?latency=0.3").status_code == 200
    assert 0.3 <= time.monotonic() - began < 5
    stats = fb.stats()
    assert stats["by_edge"] == {"posts": {"200": 1}}
    assert (stats["requests"][0]["user"], stats["in_flight"]) == ("alice", 0)


def test_a_fault_hits_it(fb):
    fb.call("PUT", "/control/faults/posts", json={"status": 503, "times": 1, "retry_after": 7})
    answer = fb.call("HEAD", "/v1/alice/posts?latency=0")
    assert (answer.status_code, answer.headers["Retry-After"], answer.content) == (503, "7", b"")
    assert fb.edge().status_code == 200
