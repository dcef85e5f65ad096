"""A client that was written for Facebook, facebook-sdk (https://facebook-sdk.readthedocs.io), asks the mock."""

import facebook
import pytest

EDGES = ("photos", "posts", "likes", "friends", "events")
TOKEN = "EAAB|secret token"


@pytest.fixture
def graph(fb, monkeypatch):
    """Makes clients: ``graph("3.1")``."""
    monkeypatch.setattr(facebook, "FACEBOOK_GRAPH_URL", f"{fb.url}/")
    return lambda version="3.1": facebook.GraphAPI(access_token=TOKEN, version=version, session=fb.http, timeout=20)


def whole(fb, edge: str) -> list[dict]:
    return fb.edge(edge=edge, limit=100).json()["data"]


def test_a_page(fb, graph):
    page = graph().get_connections("alice", "posts", fields="id,message,from{name}", limit=3, latency=0)
    posts = whole(fb, "posts")[:3]
    assert page["data"] == [{name: post[name] for name in ("id", "message", "from")} for post in posts]
    assert page["paging"]["next"].startswith(f"{fb.url}/v3.1/alice/posts?limit=3&after=")


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("version", facebook.VALID_API_VERSIONS)
def test_all_pages_are_the_timeline(fb, graph, version, edge):
    timeline = whole(fb, edge)
    fb.call("DELETE", "/control/stats")
    assert list(graph(version).get_all_connections("alice", edge, latency=0)) == timeline
    assert fb.stats()["by_edge"] == {edge: {"200": (len(timeline) + 24) // 25}}


def test_all_pages_with_the_servers_own_latency(fb, graph):
    assert list(graph().get_all_connections("alice", "photos", limit=20)) == whole(fb, "photos")
    *pages, _ = fb.stats()["requests"]  # the last one is that of ``whole``
    assert len(pages) >= 2 and all(page["end"] - page["arrival"] > 0.29 for page in pages)


def test_all_pages_with_fields(fb, graph):
    photos = graph("2.12").get_all_connections(
        "alice", "photos", fields="images{source},likes.limit(0).summary(true)", limit=10, latency=0
    )
    assert list(photos) == [
        {"images": [{"source": photo["source"]}], "likes": photo["likes"], "id": photo["id"]}
        for photo in whole(fb, "photos")
    ]


@pytest.mark.parametrize(
    ("edge", "arguments", "code", "words"),
    [
        ("posts", {"limit": 0}, 100, "limit must be"),
        ("posts", {"fields": "xyz"}, 100, "nonexisting field (xyz) on node type (Post)"),
        ("posts", {"fields": "id,"}, 2500, "Expected name."),
        ("posts", {"before": "x"}, 100, "before must be a cursor"),
        ("nope", {}, 2500, "Unknown edge 'nope'"),
    ],
)
def test_a_refusal_is_a_graph_api_error(graph, edge, arguments, code, words):
    with pytest.raises(facebook.GraphAPIError) as refused:
        graph().get_connections("alice", edge, latency=0, **arguments)
    assert (refused.value.code, refused.value.type) == (code, "OAuthException")
    assert words in refused.value.message


@pytest.mark.parametrize(("status", "code"), [(401, 190), (429, 4), (503, 2)])
def test_a_fault_is_a_graph_api_error(fb, graph, status, code):
    fb.call("PUT", "/control/faults/posts", json={"status": status, "times": 1})
    with pytest.raises(facebook.GraphAPIError) as failed:
        list(graph().get_all_connections("alice", "posts", latency=0))
    assert failed.value.code == code
