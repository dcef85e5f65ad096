"""What tests of several folders need: a free port, a condition that comes to hold, the colours of a picture."""

import io
import time
from collections.abc import Callable
from typing import TypeVar

from PIL import Image, ImageColor
from tornado.testing import bind_unused_port

from lab.draw.picture import Picture

T = TypeVar("T")


def free_port() -> int:
    """A port of this machine that nobody has at this moment."""
    listening, port = bind_unused_port()
    listening.close()
    return port


def wait_until(condition: Callable[[], T], seconds: float, said: Callable[[], str] = str, pause: float = 0.02) -> T:
    """The condition's first answer that counts as true. AssertionError, with the words of `said`: it had none."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, said()
        time.sleep(pause)
    return answer


def opened(picture: Picture) -> Image.Image:
    image = Image.open(io.BytesIO(picture.png))
    assert image.format == "PNG"
    return image.convert("RGB")


def share_of(picture: Picture, colour: str) -> float:
    """How much of the picture has exactly this colour."""
    wanted = ImageColor.getrgb(colour)
    image = opened(picture)
    counts = image.getcolors(image.width * image.height)
    return sum(count for count, found in counts if found == wanted) / (image.width * image.height)
