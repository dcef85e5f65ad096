"""The Graph API's side of it: timelines, shapes, images, latency."""

import hashlib
import io
import json
import re
import time
from itertools import pairwise
from urllib.parse import quote

import pytest
from PIL import Image

EDGES = ("photos", "posts", "likes", "friends", "events")
KEYS = {
    "photos": {"id", "name", "created_time", "width", "height", "images", "picture", "source", "likes"},
    "posts": {"id", "message", "created_time", "from", "likes"},
    "likes": {"id", "name", "category", "created_time"},
    "friends": {"id", "name", "picture"},
    "events": {"id", "name", "start_time", "place", "rsvp_status"},
}


def all_items(fb, user: str, edge: str) -> list[dict]:
    answer = fb.edge(user, edge, limit=100).json()
    assert "next" not in answer["paging"]
    return answer["data"]


def test_identity(fb):
    answer = fb.get("/")
    mail = {"host": "127.0.0.1", "port": fb.mail_port, "latency": 0.1}
    assert answer.json() == {"name": "fake_fb", "latency": 0.3, "edges": list(EDGES), "mail": mail}
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"


@pytest.mark.parametrize("edge", EDGES)
def test_an_edge_holds_30_to_60_different_items_of_its_shape(fb, edge):
    for user in ("alice", "bob", "carol"):
        items = all_items(fb, user, edge)
        assert 30 <= len(items) <= 60
        assert len({item["id"] for item in items}) == len(items)
        assert all(set(item) == KEYS[edge] for item in items)
        assert not re.search(r"[{}]", json.dumps([list(item.values())[:2] for item in items]).strip("[]{}"))


@pytest.mark.parametrize("edge", ["photos", "posts", "likes", "events"])
def test_dates_are_iso_newest_first_and_end_shortly_before_june_2026(fb, edge):
    dates = [item.get("created_time") or item["start_time"] for item in all_items(fb, "alice", edge)]
    assert all(re.fullmatch(r"202[56]-\d\d-\d\dT\d\d:\d\d:\d\d\+0000", date) for date in dates)
    assert all(earlier < later for later, earlier in pairwise(dates))
    assert "2026-05-26" < dates[0] < "2026-06-01"


def test_texts_are_varied(fb):
    messages = [item["message"] for item in all_items(fb, "alice", "posts")]
    assert len(set(messages)) > 0.9 * len(messages)
    names = [item["name"] for item in all_items(fb, "alice", "friends")]
    assert len(set(names)) == len(names)


def test_users_differ_and_a_user_stays_the_same(fb):
    assert fb.edge("alice").json() == fb.edge("alice").json()
    assert fb.edge("alice").json()["data"] != fb.edge("bob").json()["data"]
    assert fb.edge("a.b_c-d").json()["data"][0]["from"]["name"] == "A B C D"


def values(item: dict) -> dict:
    """The item's own values, however the API nests them."""
    match item:
        case {"images": _, "source": _}:
            item = {name: value for name, value in item.items() if name not in ("images", "picture")}
        case {"picture": {"data": {"url": url}}}:
            item = item | {"picture": url}
    match item:
        case {"likes": {"summary": {"total_count": count}}}:
            item = item | {"likes": {"summary": {"total_count": count}}}
    return item


def timeline_hash(fb, user: str) -> str:
    timeline = {edge: [values(item) for item in all_items(fb, user, edge)] for edge in EDGES}
    text = json.dumps(timeline, sort_keys=True).replace(fb.url, "")
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_golden_timeline(fb):
    """A change of the data has to be wanted: notebooks show it."""
    assert timeline_hash(fb, "alice") == "10f48c4c3a23dc9f"
    assert timeline_hash(fb, "zoë") == "b3a25e4caad5fff7"


def test_the_hash_seed_changes_nothing(start):
    hashes = {timeline_hash(start(PYTHONHASHSEED=seed), "alice") for seed in ("0", "1")}
    assert hashes == {"10f48c4c3a23dc9f"}


@pytest.mark.parametrize("user", ["zoë", "李雷", "a/b", "a b", "a%b", "..x", "😀", "x" * 200, "q?&=#"])
def test_any_name_is_a_user(fb, user):
    photos = all_items(fb, quote(user, safe=""), "photos")
    assert len(photos) >= 30
    assert fb.http.get(photos[0]["source"], timeout=20).status_code == 200
    assert fb.stats()["requests"][0]["user"] == user


def test_a_raw_utf8_path_is_the_same_user(fb):
    raw = fb.raw("GET /v1/zoë/posts?latency=0 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert fb.edge("zo%C3%AB").json()["data"] == json.loads(raw.partition(b"\r\n\r\n")[2])["data"]


def pixels(answer) -> tuple[tuple[int, int], str]:
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")
    image = Image.open(io.BytesIO(answer.content))
    return image.size, hashlib.sha256(image.convert("RGB").tobytes()).hexdigest()[:16]


def test_photos_are_png_landscapes(fb):
    photos = fb.edge(edge="photos", limit=2).json()["data"]
    answers = [fb.http.get(photo["source"], timeout=20) for photo in photos]
    assert all(photo["source"].startswith(fb.url) for photo in photos)
    assert all(len(answer.content) < 8_000 for answer in answers)
    assert [pixels(answer) for answer in answers] == [
        ((320, 200), "a5b2cc94ef9aac24"),
        ((320, 200), "df155d0a5f00c2d2"),
    ]
    assert (photos[0]["width"], photos[0]["height"]) == (320, 200)


def test_friends_have_pictures(fb):
    friend = fb.edge(edge="friends", limit=1).json()["data"][0]
    picture = friend["picture"]["data"]
    assert pixels(fb.http.get(picture.pop("url"), timeout=20)) == ((64, 64), "cbb319d81dee63bf")
    assert friend["picture"] == {"data": {"height": 64, "is_silhouette": False, "width": 64}}


def test_a_photo_has_one_image(fb):
    photo = fb.edge(edge="photos", limit=1).json()["data"][0]
    assert photo["images"] == [{"height": 200, "source": photo["source"], "width": 320}]
    assert photo["picture"] == photo["source"]


@pytest.mark.parametrize("edge", ["photos", "posts"])
def test_likes_are_an_edge_that_says_how_many(fb, edge):
    for item in all_items(fb, "alice", edge):
        assert 0 <= item["likes"]["summary"].pop("total_count") < 180
        assert item["likes"] == {"data": [], "summary": {"can_like": True, "has_liked": False}}


def test_images_come_at_once_and_are_not_witnessed(start):
    slow = start("--latency", "30")
    source = slow.edge(edge="photos", limit=1).json()["data"][0]["source"]
    began = time.monotonic()
    assert slow.http.get(source, timeout=20).status_code == 200
    assert time.monotonic() - began < 10
    assert len(slow.stats()["requests"]) == 1


@pytest.mark.parametrize(
    "path", ["/photos/alice/1.png", "/photos/alice/x.png", "/photos/alice/1", "/friends//1.png", "/photos/a"]
)
def test_there_are_no_other_images(fb, path):
    answer = fb.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == 2500


def test_latency_is_the_servers_unless_the_request_says_otherwise(fb):
    for parameters, latency in (({}, 0.3), ({"latency": "0.15"}, 0.15), ({"latency": "0"}, 0)):
        began = time.monotonic()
        assert fb.get("/v1/alice/likes", **parameters).status_code == 200
        assert latency <= time.monotonic() - began < latency + 5


def test_keep_alive(fb):
    request = b"GET /v1/alice/posts?latency=0 HTTP/1.1\r\nHost: x\r\n"
    answers = fb.raw((request + b"\r\n") * 2 + request + b"Connection: close\r\n\r\n")
    assert answers.count(b"HTTP/1.1 200 OK") == 3


def test_links_follow_the_host_header_if_it_makes_sense(fb):
    def next_url(host: str) -> str:
        raw = fb.raw(f"GET /v1/a/posts?latency=0 HTTP/1.1\r\nHost:{host}\r\nConnection: close\r\n\r\n".encode())
        return json.loads(raw.partition(b"\r\n\r\n")[2])["paging"]["next"]

    assert next_url("example.org:81").startswith("http://example.org:81/v1/a/posts?")
    assert next_url("[::1]:81").startswith("http://[::1]:81/v1/a/posts?")
    for odd in ("", "a'b", "a:99999999", "::", "%41"):
        assert next_url(odd).startswith(f"{fb.url}/v1/a/posts?")
