"""No input whatever is answered with a 500, with HTML or with a traceback."""

import json

import pytest

BAD_LATENCIES = [
    "-1",
    "-0.1",
    "nan",
    "inf",
    "-inf",
    "60.01",
    "1e9",
    "1e999",
    "x",
    "",
    "1_0",
    "١",
    "0x1",
    "9" * 5000,
]
BAD_LIMITS = ["0", "101", "-1", "1.5", "x", "", "1e1", "٣", " 5", "9" * 5000, "true"]
BAD_CURSORS = ["", "x", "====", "😀", "MTIz", "9" * 5000, "\x00"]


def check_error(answer, status: int, code: int = 100) -> str:
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    error = answer.json()["error"]
    assert set(answer.json()) == {"error"}
    assert set(error) == {"message", "type", "code", "fbtrace_id"}
    assert (error["type"], error["code"]) == ("OAuthException", code)
    assert len(error["message"]) < 300
    return error["message"]


@pytest.mark.parametrize("value", BAD_LATENCIES)
def test_bad_latency(fb, value):
    assert "from 0 to 60" in check_error(fb.edge(latency=value), 400)


@pytest.mark.parametrize("value", BAD_LIMITS)
def test_bad_limit(fb, value):
    assert "from 1 to 100" in check_error(fb.edge(limit=value), 400)


@pytest.mark.parametrize("value", BAD_CURSORS)
def test_bad_cursor(fb, value):
    assert "after must be a cursor from the paging" in check_error(fb.edge(after=value), 400)
    assert "before must be a cursor from the paging" in check_error(fb.edge(before=value), 400)


def test_another_edges_cursor_is_a_bad_one(fb):
    after = fb.edge(edge="likes").json()["paging"]["cursors"]["after"]
    check_error(fb.edge(edge="posts", after=after), 400)
    check_error(fb.edge(edge="posts", before=after), 400)


def test_only_one_cursor(fb):
    cursors = fb.edge(limit=5).json()["paging"]["cursors"]
    assert "after and before exclude each other" in check_error(fb.edge(**cursors), 400)


@pytest.mark.parametrize("name", ["limit", "latency", "after", "before", "fields"])
def test_a_parameter_given_twice(fb, name):
    assert "at most once" in check_error(fb.get(f"/v1/alice/posts?latency=0&{name}=1&{name}=1"), 400)


def test_unknown_parameters_are_ignored(fb):
    assert fb.get("/v1/alice/posts?latency=0&fields=id&access_token=%ff&&=&%").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/v1", "/v1/", "/v1/alice", "/v1/alice/", "/v1/alice/nope", "/v1/alice/posts/1", "/alice/posts"]
    + ["/control", "/control/nope", "/control/faults/", "/favicon.ico", "//", "/v1/alice/Posts", "/v1/%00/x"]
    + [f"/{version}/alice/posts" for version in ("v", "v1.", "v.1", "v1.2.3", "v1x", "V1", "vx", "1", "v-1", "v²")],
)
def test_unknown_paths(fb, path):
    method = "PUT" if path == "/control/faults/" else "GET"
    check_error(fb.call(method, path), 404, 2500)
    assert fb.stats()["by_edge"] == {}


@pytest.mark.parametrize("user", ["", "x" * 201, "%C3%AB" * 201])
def test_users_have_1_to_200_characters(fb, user):
    assert "1 to 200" in check_error(fb.edge(user), 400)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/", "GET, HEAD"),
        ("/v1/alice/posts", "GET, HEAD"),
        ("/photos/alice/1.png", "GET, HEAD"),
        ("/control/faults", "GET, HEAD, DELETE"),
        ("/control/faults/posts", "PUT"),
        ("/control/stats", "GET, HEAD, DELETE"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "BREW"])
def test_wrong_methods(fb, path, allowed, method):
    if method in allowed:
        return
    answer = fb.call(method, path, data=b"\xff{")
    assert answer.headers["Allow"] == allowed
    if method == "HEAD":
        assert (answer.status_code, answer.content) == (405, b"")
    else:
        assert check_error(answer, 405) == f"Unsupported method '{method}'; use {allowed}"


def request(target: bytes = b"/v1/alice/posts?latency=0", method: bytes = b"GET", more: bytes = b"") -> bytes:
    head = b"Connection: close\r\n" if b"Host:" in more else b"Host: x\r\nConnection: close\r\n"
    return method + b" " + target + b" HTTP/1.1\r\n" + head + more + b"\r\n"


@pytest.mark.parametrize(
    ("raw", "statuses"),
    [
        (request(b"/v1/%ff/posts"), [400]),
        (request(b"/v1/\xff/posts"), [400]),
        (request(b"/v1/alice/%ff"), [400]),
        (request(b"/v1/%/posts?latency=0"), [200]),
        (request(b"/v1/%zz/posts?latency=0"), [200]),
        (request(b"/%ff"), [404]),
        (request(b"/photos/%ff/1.png"), [400]),
        (request(b"/control/faults/%ff", b"PUT"), [400]),
        (request(b"/v1/alice/posts?limit=%ff"), [400]),
        (request(b"/v1/alice/posts?fields=%ff"), [400]),
        (request(b"/v1/alice/posts?latency=0&%ff=%ff&\xff=\xff"), [200]),
        (request(b"/v1/alice/posts?limit=\xff"), [400]),
        (request(b"/v1/alice/posts?after=%ff&latency=%"), [400]),
        (request(b"/v1/alice/posts?" + b"a&" * 5000), [200, 400]),
        (request(b"/v1/alice/posts?latency=0&limit=1;latency=7"), [400]),
        (request(b"http://other/v1/alice/posts"), [404]),
        (request(b"*", b"OPTIONS"), [404]),
        (request(b"/nope", b"BREW"), [404]),
        (request(b"/nope", b"HEAD"), [404]),
        (request(more=b"Host: a/b\r\n"), [400]),
        (request(more=b"Host: a\r\nHost: b\r\n"), [400]),
        (request(more=b"Host: \xff\r\n"), [400]),
        (request(more=b"Content-Length: -1\r\n"), [400]),
        (request(more=b"Content-Length: 99999999999\r\n"), [400]),
        (request(more=b"Content-Length: 3\r\nContent-Type: multipart/form-data\r\n") + b"abc", [400]),
        (request(more=b"Content-Encoding: gzip\r\nContent-Length: 3\r\n") + b"abc", [200]),
        (request(more=b"X: \x00\r\n"), [400]),
        (b"GET / HTTP/1.1\r\n\r\n", [400]),
        (b"GET / HTTP/9.9\r\n\r\n", [400]),
        (b"\x00\xff\r\n\r\n", [400]),
    ],
)
def test_malformed_requests(fb, raw, statuses):
    head, _, body = fb.raw(raw).partition(b"\r\n\r\n")
    assert int(head.split(b" ", 2)[1]) in statuses
    # What is not even HTTP is refused by Tornado, before any handler, without a body.
    assert body == b"" or set(json.loads(body)) <= {"error", "data", "paging"}
    assert b"html" not in (head + body).lower()


def test_an_endless_request_line_is_cut_off(fb):
    try:
        answer = fb.raw(b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    except ConnectionError:
        answer = b""
    assert answer[:12] in (b"", b"HTTP/1.1 400")
    assert fb.get("/").status_code == 200


BAD_FAULTS = {
    "nothing": b"",
    "not UTF-8": b"\xff\xfe\xfa",
    "cut short": b'{"status": 503',
    "a list": b"[503]",
    "a string": b'"status"',
    "null": b"null",
    "a number": b"503",
    "deep": b"[" * 30_000,
    "deep and closed": b'{"status": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "rather deep": b'{"status": ' + b"[" * 900 + b"]" * 900 + b"}",
    "deep objects": b'{"drop":' * 4_000,
    "huge integer": b'{"status": ' + b"9" * 20_000 + b"}",
    "large integer": b'{"latency": ' + b"9" * 4_000 + b"}",
    "NaN": b'{"latency": NaN}',
    "Infinity": b'{"latency": Infinity}',
    "overflow": b'{"latency": 1e999}',
    "lone surrogate": b'{"\\ud800": 1}',
    "empty": b"{}",
    "only times": b'{"times": 1}',
    "only retry_after": b'{"retry_after": 1}',
    "drop not": b'{"drop": false}',
    "unknown key": b'{"status": 503, "colour": 1}',
    "status and drop": b'{"status": 503, "drop": true}',
    "retry_after without status": b'{"latency": 1, "retry_after": 1}',
} | {
    f"{key} {value}": json.dumps({"status": 503} | {key: value}).encode()
    for key, values in {
        "status": [True, "503", 399, 600, 200, 503.0, None, [], {}, -1],
        "times": [0, -1, True, "1", 1.0, 10**30, []],
        "retry_after": [-1, True, "1", None, 10**30, []],
        "latency": [-0.1, 60.1, True, "1", None, 10**30, {}],
        "drop": [1, 0, "true", None, []],
    }.items()
    for value in values
}


@pytest.mark.parametrize("body", BAD_FAULTS.values(), ids=BAD_FAULTS.keys())
def test_bad_faults(fb, body):
    check_error(fb.call("PUT", "/control/faults/posts", data=body), 400)
    assert fb.get("/control/faults").json() == {}


def test_a_fault_for_an_unknown_edge(fb):
    check_error(fb.call("PUT", "/control/faults/nope", json={"status": 503}), 404, 2500)


def test_a_body_of_a_megabyte_is_refused(fb):
    raw = b"PUT /control/faults/posts HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    assert fb.raw(raw).startswith(b"HTTP/1.1 400")


def test_bad_requests_to_an_edge_are_witnessed(fb):
    fb.edge(limit=0)
    assert fb.stats()["by_edge"] == {"posts": {"400": 1}}
    assert fb.stats()["in_flight"] == 0


def test_nothing_of_all_this_was_logged(fb):
    """Runs last in this file: what the server has printed so far is its one line."""
    assert fb.output() == f"fake_fb listening on {fb.url}\n"
