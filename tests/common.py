"""What tests of several folders need: free ports, a condition that comes to hold, the colours of a picture."""

import contextlib
import io
import random
import socket
import time
from collections.abc import Callable
from typing import TypeVar

from PIL import Image, ImageColor

from lab.draw.picture import Picture

T = TypeVar("T")


def free_ports(number: int) -> list[int]:
    """Ports of this machine that nobody has at this moment.

    They lie below those that Linux (from 32768) and macOS (from 49152) give to whoever asks for any port, so that no
    other program of a busy machine is given one of them before the test binds it.
    """
    ports: list[int] = []
    with contextlib.ExitStack() as held:
        while len(ports) < number:
            port = random.SystemRandom().randrange(20_000, 32_000)
            with contextlib.suppress(OSError):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
                ports.append(port)
    return ports


def free_port() -> int:
    """One such port."""
    return free_ports(1)[0]


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
