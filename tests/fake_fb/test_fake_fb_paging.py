"""Paging, forward and back, and what the addresses of other pages keep of the client's request."""

import json
from urllib.parse import parse_qsl, urlsplit

import pytest

EDGES = ("photos", "posts", "likes", "friends", "events")


def whole(fb, edge: str = "posts", user: str = "alice") -> list[dict]:
    return fb.edge(user, edge, limit=100).json()["data"]


def follow(fb, page: dict, direction: str) -> list[dict]:
    """The page and those that follow it in one direction, "next" or "previous"."""
    pages = [page]
    while address := pages[-1]["paging"].get(direction):
        answer = fb.http.get(address, timeout=20)
        assert answer.status_code == 200
        pages.append(answer.json())
    return pages


def items(pages: list[dict]) -> list[dict]:
    return [item for page in pages for item in page["data"]]


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("limit", [1, 7, 25])
def test_next_walks_through_everything_and_previous_comes_back_the_same_way(fb, edge, limit):
    forward = follow(fb, fb.edge(edge=edge, limit=limit).json(), "next")
    assert items(forward) == whole(fb, edge)
    assert "previous" not in forward[0]["paging"]
    back = follow(fb, forward[-1], "previous")
    assert [page["data"] for page in reversed(back)] == [page["data"] for page in forward]
    assert [page["paging"]["cursors"] for page in reversed(back)] == [page["paging"]["cursors"] for page in forward]


def test_a_page_and_its_cursors(fb):
    first = fb.edge(limit=3, latency="0.0").json()
    after = first["paging"]["cursors"]["after"]
    assert len(first["data"]) == 3
    assert first["paging"]["cursors"]["before"] != after
    assert first["paging"]["next"] == f"{fb.url}/v1/alice/posts?limit=3&after={after.replace('=', '%3D')}&latency=0.0"
    second = fb.edge(limit=3, after=after).json()
    assert second["data"] == whole(fb)[3:6]
    before = second["paging"]["cursors"]["before"]
    assert second["paging"]["previous"].startswith(f"{fb.url}/v1/alice/posts?limit=3&before=")
    assert fb.edge(limit=3, before=before, latency="0.0").json() == first


def test_before_gives_the_items_just_in_front_newest_first(fb):
    before = fb.edge(limit=10).json()["paging"]["cursors"]["after"]  # the tenth item
    page = fb.edge(limit=4, before=before).json()
    assert page["data"] == whole(fb)[5:9]
    assert "next" in page["paging"] and "previous" in page["paging"]
    page = fb.edge(limit=20, before=before).json()
    assert page["data"] == whole(fb)[:9]
    assert "next" in page["paging"] and "previous" not in page["paging"]
    assert fb.http.get(page["paging"]["next"], timeout=20).json()["data"] == whole(fb)[9:29]


def test_default_page_and_last_page(fb):
    assert len(fb.edge().json()["data"]) == 25
    last = fb.edge(limit=100).json()
    assert set(last["paging"]) == {"cursors"}


@pytest.mark.parametrize("limit", [4, 100])
def test_an_empty_page_leads_back_to_the_items(fb, limit):
    ends = fb.edge(limit=100).json()["paging"]["cursors"]
    behind = fb.edge(after=ends["after"], limit=limit).json()
    assert behind["data"] == [] and "next" not in behind["paging"]
    assert items(follow(fb, behind, "previous")[::-1]) == whole(fb)
    in_front = fb.edge(before=ends["before"], limit=limit).json()
    assert in_front["data"] == [] and "previous" not in in_front["paging"]
    assert items(follow(fb, in_front, "next")) == whole(fb)
    # Whoever goes on from there stays there.
    assert fb.edge(after=behind["paging"]["cursors"]["after"], limit=limit).json() == behind
    assert fb.edge(before=in_front["paging"]["cursors"]["before"], limit=limit).json() == in_front


def test_next_has_no_latency_unless_it_was_given(fb):
    assert "latency" not in fb.get("/v1/alice/posts", limit=1).json()["paging"]["next"]


@pytest.mark.parametrize("version", ["v1", "v2.8", "v2.12", "v3.1", "v19.0", "v100"])
def test_every_version_is_answered_and_kept(fb, version):
    page = fb.get(f"/{version}/alice/posts", latency=0, limit=7).json()
    assert page["data"] == whole(fb)[:7]
    second = fb.http.get(page["paging"]["next"], timeout=20).json()
    for address in (page["paging"]["next"], second["paging"]["next"], second["paging"]["previous"]):
        assert address.startswith(f"{fb.url}/{version}/alice/posts?limit=7&")
    assert fb.stats()["by_edge"] == {"posts": {"200": 3}}


def test_both_directions_keep_what_the_client_asked_with(fb):
    asked = [("access_token", "a|b&c=d ü"), ("fields", "id,message"), ("latency", "0"), ("empty", ""), ("x", "1")]
    asked += [("x", "2"), ("ü", "%"), ("limit", "3")]
    first = fb.call("GET", "/v1/alice/posts", params=asked).json()
    second = fb.http.get(first["paging"]["next"], timeout=20).json()
    assert [set(item) for item in second["data"]] == [{"id", "message"}] * 3
    for name, cursor in (("next", "after"), ("previous", "before")):
        sent = parse_qsl(urlsplit(second["paging"][name]).query, keep_blank_values=True)
        assert sorted(sent) == sorted([*asked, (cursor, second["paging"]["cursors"][cursor])])


def test_bytes_that_are_no_utf8_are_kept_as_they_are(fb):
    raw = fb.raw(b"GET /v1/a/posts?latency=0&%ff=%fe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert json.loads(raw.partition(b"\r\n\r\n")[2])["paging"]["next"].endswith("&latency=0&%FF=%FE")
