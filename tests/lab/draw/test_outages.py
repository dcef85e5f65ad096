"""`lab.draw_outages`: rows made by hand."""

from typing import Any

from PIL import ImageColor

import lab
from lab.draw.picture import Picture
from lab.draw.style import FAILED, RUNNING, WAITING
from tests.common import opened

SITE = {"name": "a site", "who": "site", "noticed": 10.0, "back": None, "watched": 150}
WORKER = {"name": "a worker", "who": "worker", "noticed": 5.0, "back": 20.0, "watched": 150, "sent": 4, "lost": 1}
NEVER = {"name": "deaf", "who": "worker", "noticed": None, "back": None, "watched": 150, "sent": 9, "lost": 0}


def draw(*rows: dict[str, Any]) -> Picture:
    return lab.draw_outages({"default": rows}, title="Who notices")


def columns(picture: Picture, colour: str) -> int:
    """In how many columns of pixels this colour is."""
    image, wanted = opened(picture), ImageColor.getrgb(colour)
    return sum(any(image.getpixel((x, y)) == wanted for y in range(image.height)) for x in range(image.width))


def test_the_pale_part_is_as_long_as_nobody_noticed():
    whole, half = columns(draw(NEVER), WAITING), columns(draw(WORKER | {"noticed": 15.0}), WAITING)
    assert 1.9 < whole / half < 2.3  # with the arrow


def test_a_site_has_no_time_of_trying_and_a_worker_has():
    assert columns(draw(SITE), FAILED) == 0 < columns(draw(WORKER), FAILED)


def test_what_never_ends_has_no_dot():
    assert columns(draw(NEVER), RUNNING) == 0 < columns(draw(WORKER), RUNNING)


def test_in_words():
    assert draw(SITE, WORKER, NEVER)._repr_mimebundle_()[0]["text/plain"] == (
        "Who notices\ndefault: a site: error; a worker: works again; deaf: never"
    )


def test_late_is_cut_at_the_axis():
    late = columns(draw(WORKER | {"back": 120.0, "noticed": None}), WAITING)
    assert 0.95 < late / columns(draw(NEVER), WAITING) < 1.05
