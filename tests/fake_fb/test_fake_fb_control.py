"""Faults and the witness."""

import json
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

LIMIT_REACHED = (4, "Application request limit reached")
UNEXPECTED = (2, "An unexpected error has occurred. Please retry your request later.")


def set_fault(fb, edge: str = "posts", **fault) -> dict:
    answer = fb.call("PUT", f"/control/faults/{edge}", json=fault)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [(429, *LIMIT_REACHED), (500, *UNEXPECTED), (503, *UNEXPECTED), (599, *UNEXPECTED)]
    + [(400, 100, "Invalid parameter"), (418, 100, "Invalid parameter"), (499, 100, "Invalid parameter")]
    + [(401, 190, "Error validating access token: The session has expired.")],
)
def test_the_next_n_answers_fail(fb, status, code, message):
    set_fault(fb, status=status, times=2)
    for _ in range(2):
        answer = fb.edge()
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["message"]) == (status, code, message)
        assert error["type"] == "OAuthException"
        assert "Retry-After" not in answer.headers
    assert fb.edge().status_code == 200
    assert fb.stats()["by_edge"] == {"posts": {"200": 1, str(status): 2}}


def test_without_times_an_edge_fails_until_cleared(fb):
    shown = set_fault(fb, status=503)
    assert shown == fb.get("/control/faults").json()
    assert shown == {
        "posts": {"status": 503, "times": None, "seconds": None, "retry_after": None, "latency": None, "drop": False}
    }
    assert [fb.edge().status_code for _ in range(3)] == [503] * 3
    assert fb.edge(edge="likes").status_code == 200
    assert fb.call("DELETE", "/control/faults").json() == {"success": True}
    assert fb.edge().status_code == 200
    assert fb.get("/control/faults").json() == {}


def test_times_counts_down_and_a_new_fault_replaces_the_old(fb):
    set_fault(fb, status=503, times=3)
    fb.edge()
    assert fb.get("/control/faults").json()["posts"]["times"] == 2
    set_fault(fb, status=429, times=None)
    assert fb.edge().status_code == 429


@pytest.mark.parametrize(("retry_after", "header"), [(0, "0"), (7, "7"), (2.0, "2"), (0.5, "0.5"), (86400, "86400")])
def test_retry_after(fb, retry_after, header):
    set_fault(fb, status=429, times=1, retry_after=retry_after)
    assert fb.edge().headers["Retry-After"] == header


def test_latency_alone_is_only_slower(fb):
    set_fault(fb, latency=0.4, times=1)
    began = time.monotonic()
    assert fb.edge(latency=0).status_code == 200
    assert 0.4 <= time.monotonic() - began < 5


def test_drop_closes_the_connection_without_an_answer(fb):
    set_fault(fb, drop=True, times=1, latency=0.1)
    assert fb.raw(b"GET /v1/alice/posts HTTP/1.1\r\nHost: x\r\n\r\n") == b""
    stats = fb.stats()
    assert stats["by_edge"] == {"posts": {"0": 1}}
    assert stats["in_flight"] == 0
    assert stats["requests"][0]["status"] == 0
    set_fault(fb, drop=True, times=1)
    with pytest.raises(requests.ConnectionError):
        fb.edge()
    assert fb.edge().status_code == 200


def test_of_requests_at_once_exactly_n_fail(fb):
    set_fault(fb, status=503, times=3)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: requests_get(fb, latency=0.3), range(10)))
    assert sorted(answers) == [200] * 7 + [503] * 3


def test_a_fault_is_used_up_on_arrival(fb, eventually):
    set_fault(fb, status=503, times=1)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(requests_get, fb, latency=0.5)
        eventually(lambda: fb.stats()["in_flight"] == 1)
        assert fb.get("/control/faults").json() == {}
        assert fb.edge().status_code == 200
        assert slow.result() == 503


def test_a_bad_request_uses_up_no_fault(fb):
    set_fault(fb, status=503, times=1)
    assert [fb.edge(limit=0).status_code, fb.edge().status_code] == [400, 503]


def requests_get(fb, **parameters) -> int:
    """A GET on a connection of its own: a Session is not for several threads."""
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"{fb.url}/v1/alice/posts", params=parameters, timeout=20).status_code


def test_the_witness_saw_it(fb):
    before = time.time()
    fb.edge("zoë", "photos", latency=0.2)
    fb.edge("bob", "likes")
    after = time.time()
    stats = fb.stats()
    assert stats["by_edge"] == {"photos": {"200": 1}, "likes": {"200": 1}}
    assert (stats["in_flight"], stats["peak"]) == (0, 1)
    first, second = stats["requests"]
    assert (first["user"], first["edge"], first["status"]) == ("zoë", "photos", 200)
    # Half a second of room: time.time() may be set while the test runs, the witness's clock may not.
    assert before - 0.5 <= first["arrival"] <= first["end"] <= second["arrival"] <= after + 0.5
    assert 0.2 - 2e-6 <= first["end"] - first["arrival"] < 5  # times are rounded to microseconds


def test_peak_and_what_is_in_flight(fb, eventually):
    with ThreadPoolExecutor(3) as pool:
        pending = [pool.submit(requests_get, fb, latency=1) for _ in range(3)]
        eventually(lambda: fb.stats()["in_flight"] == 3)
        stats = fb.stats()
        assert (stats["peak"], stats["by_edge"]) == (3, {})
        assert [(r["status"], r["end"]) for r in stats["requests"]] == [(None, None)] * 3
        fb.call("DELETE", "/control/stats")
        stats = fb.stats()
        assert (stats["in_flight"], stats["peak"], stats["requests"]) == (3, 3, [])
        assert [p.result() for p in pending] == [200] * 3
    assert fb.stats() == {"by_edge": {}, "in_flight": 0, "peak": 3, "requests": []}
    assert fb.call("DELETE", "/control/stats").json() == {"success": True}
    assert fb.stats()["peak"] == 0


def test_a_client_that_goes_away_is_no_longer_in_flight(fb, eventually):
    with socket.create_connection(("127.0.0.1", fb.port)) as connection:
        connection.sendall(b"GET /v1/alice/posts?latency=60 HTTP/1.1\r\nHost: x\r\n\r\n")
        eventually(lambda: fb.stats()["in_flight"] == 1)
    eventually(lambda: fb.stats()["in_flight"] == 0)
    stats = fb.stats()
    assert stats["by_edge"] == {"posts": {"0": 1}}
    assert stats["requests"][0]["status"] == 0
    assert stats["requests"][0]["end"] - stats["requests"][0]["arrival"] < 20
    assert fb.output().count("\n") == 1


def test_answers_are_plain_json(fb):
    raw = fb.raw(b"GET /control/stats HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert json.loads(raw.partition(b"\r\n\r\n")[2])["requests"] == []


def test_an_answer_ends_before_the_client_has_it(fb):
    """Whoever waits from an answer on has not waited less by the server's count, on a busy machine either."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4)]
    try:
        returned = [(fb.edge(limit=1, latency=0), time.time())[1] for _ in range(100)]
    finally:
        for process in busy:
            process.kill()
            process.wait()
    ends = [request["end"] for request in fb.stats()["requests"]]
    assert len(ends) == len(returned)
    assert all(end <= moment for end, moment in zip(ends, returned, strict=True))
