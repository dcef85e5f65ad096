"""An item of a timeline as the Graph API nests it, https://developers.facebook.com/docs/graph-api/reference.

An item gets its shape when it is asked for, so the items that nobody asks for cost nothing.
"""

from typing import Any

from . import photos
from .data import Item

NODE_TYPES = {"photos": "Photo", "posts": "Post", "likes": "Page", "friends": "User", "events": "Event"}
"""What an item of each edge is called in the reference."""


def shaped(item: Item, edge: str, base: str) -> Item:
    """A new item, whose images have whole addresses; they begin with ``base``, "http://host:port"."""
    match edge:
        case "photos":
            return {**item, **_images(base + item["source"]), "likes": _likes(item["likes"])}
        case "posts":
            return {**item, "likes": _likes(item["likes"])}
        case "friends":
            return {**item, "picture": _picture(base + item["picture"])}
    return item


def _images(url: str) -> dict[str, Any]:
    """A photo has one size here, which is all its ``images``, and its thumbnail ``picture`` too. ``source`` is
    where early versions of the API had the largest image, and where the course's tasks look for it.
    https://developers.facebook.com/docs/graph-api/reference/photo/"""
    image = {"height": photos.HEIGHT, "source": url, "width": photos.WIDTH}
    return {"images": [image], "picture": url, "source": url}


def _likes(count: int) -> dict[str, Any]:
    """An edge, as ``likes.limit(0).summary(true)`` gives it: how many like the item, and not who.
    https://developers.facebook.com/docs/graph-api/reference/object/likes/"""
    return {"data": [], "summary": {"total_count": count, "can_like": True, "has_liked": False}}


def _picture(url: str) -> dict[str, Any]:
    """An edge with one node: https://developers.facebook.com/docs/graph-api/reference/user/picture/"""
    size = photos.PORTRAIT_PIXELS
    return {"data": {"height": size, "is_silhouette": False, "url": url, "width": size}}
