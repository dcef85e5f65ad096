"""The pictures of Redis at several moments, drawn from x-rays made by hand."""

from itertools import count

from lab.draw.style import FAILED, RUNNING, WAITING
from lab.draw.xrays import _boxes, _meaning, draw_xrays
from lab.record.xray import XRay


def test_the_picture_says_in_words_what_it_shows():
    before, after = XRay({"celery": ["a"]}), XRay({"celery": []}, [], {"a": "SUCCESS"})
    picture = draw_xrays({"before": before, "after": after}, title="One message")
    assert picture.words.splitlines() == [
        "One message",
        "before: 1 in queue celery (a); none in unacked; none in results",
        "after: none in queue celery; none in unacked; 1 in results (a SUCCESS)",
    ]
    assert picture.png.startswith(b"\x89PNG")


def test_colours_tell_where_a_message_is():
    seen = XRay({"celery": ["a"]}, ["b"], {"c": "SUCCESS", "d": "REVOKED"})
    assert [face for _, (face, _) in _boxes(seen, "queue celery")] == [WAITING]
    assert [face for _, (face, _) in _boxes(seen, "unacked")] == [RUNNING]
    assert [face for _, (face, _) in _boxes(seen, "results")] == ["white", FAILED]
    assert _boxes(seen, "queue of another moment") == []


def test_words_beside_a_row_say_what_its_boxes_are():
    said = [_meaning(row) for row in ("queue celery", "queue dead", "unacked", "results")]
    assert said == ["waits", "waits", "taken, not acknowledged", "stored states"]


def test_a_picture_of_many_messages_says_how_many_it_leaves_out():
    names = count(1)
    seen = XRay({"celery": [f"m{next(names)}" for _ in range(30)]})
    texts = [text for text, _ in _boxes(seen, "queue celery")]
    assert texts == ["m1", "m2", "m3", "m4", "m5", "m6", "m7", "… and 23 more"]
    assert draw_xrays({"now": seen}, title="Many").size[1] < 600


def test_a_picture_of_nothing():
    assert draw_xrays({"now": XRay()}, title="Nothing").png
