"""`lab.timeline_page`: reads the images from the mock Facebook, then draws the page."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ..draw.timeline import TimelinePage, draw_timeline
from ..services.open_lab import current


def timeline_page(user: str, answers: Mapping[str, Any]) -> TimelinePage:
    """The user's timeline from the answers of the edges; None in the place of an answer leaves a gap.

    user:    whose timeline it is
    answers: for each edge's name the JSON that the server answered: `{"photos": {"data": […]}, …}`
    """
    fb = current().fb
    # The path alone: the worker that read the address may know the server under another name than we do.
    return draw_timeline(user, answers, lambda address: fb.picture(urlsplit(address).path))
