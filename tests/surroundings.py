"""The environment of what tests start: nobody's settings, and no services but those that a test names."""

from typing import Any

from lab.basics.environment import child_environment

NOBODY = "1"  # a port where nothing listens
NAMED = {"REDIS_URL", "FAKE_FB_URL", "MAIL_SERVER", "SHOP_DB", "BANK_URL", "NO_PROXY", "no_proxy"}


def surroundings(**more: Any) -> dict[str, str]:
    """What any process needs, and `more`. The course's Compose services may well run here; they are left alone."""
    needed = {name: value for name, value in child_environment().items() if name not in NAMED}
    given = {"REDIS_PORT": NOBODY, "FAKE_FB_PORT": NOBODY, "LAB_LIVE": 0} | more
    return needed | {name: str(value) for name, value in given.items()}
