"""The pictures of a message and of ways compared, drawn from what is made by hand: nothing runs here."""

import base64
import io
import json

import pytest
from PIL import Image

import lab
from lab.draw.bars import draw_comparison
from lab.draw.message import draw_message


def make_message(body: bytes | None = None, **fields) -> str:
    body = json.dumps([["Rain"], {"place": "Brook End"}, {}]).encode() if body is None else body
    message = {
        "body": base64.b64encode(body).decode(),
        "content-type": "application/json",
        "headers": {"task": "photos.caption", "id": "rain", "retries": 0},
        "properties": {"body_encoding": "base64", "delivery_info": {"exchange": "", "routing_key": "slow"}},
    }
    return json.dumps(message | fields)


def make_comparison(second: float = 1.0):
    return draw_comparison({"kilobytes": {"a": 2.0 * second, "b": 1.0}, "seconds": {"a": 0.1, "b": 3.0}}, title="T")


@pytest.mark.parametrize("picture", [draw_message(make_message(), title="T"), make_comparison()])
def test_a_picture_is_a_png_of_twice_the_size_it_is_shown_at(picture):
    image = Image.open(io.BytesIO(picture.png))
    assert image.format == "PNG"
    assert image.size == pytest.approx([2 * side for side in picture.size], abs=2)


def test_the_words_name_what_is_in_the_message():
    title, words = draw_message(make_message(), title="One message").words.split("\n")
    assert title == "One message"
    for part in ("photos.caption", "rain", "+ 1 more", "slow", "application/json", '["Rain"]', '"Brook End"', "{}"):
        assert part in words


def test_a_long_argument_is_cut():
    long = json.dumps([["x" * 10_000], {}, {}]).encode()
    assert len(draw_message(make_message(long), title="T").words) < 400


@pytest.mark.parametrize(
    "raw",
    ["", "no JSON", "[]", "7", "{}", make_message(headers={}), make_message(b"\x80\x04"), make_message(b"[1, 2]")],
)
def test_what_is_no_message_is_refused_in_one_sentence(raw):
    with pytest.raises(lab.LabError, match="not a task message"):
        draw_message(raw, title="T")


def test_the_words_of_a_comparison_hold_no_measured_number():
    assert make_comparison(1.0).words == make_comparison(1.37).words
    assert make_comparison().words == "T\ncolumns, from the left: kilobytes; seconds\nbars in each, from the top: a, b"
