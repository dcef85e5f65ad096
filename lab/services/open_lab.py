"""The lab that is open in this kernel: which services it has. `current()` gives it to all who need one."""

from dataclasses import dataclass, field

from ..basics.errors import LabError
from .facebook import FakeFacebook
from .keeper import Keeper
from .process import Process
from .redis_server import RedisServer


@dataclass
class Lab:
    """The services of this kernel, and the lines that tell of them."""

    redis_url: str = field(repr=False)  # it may hold a password
    fb: FakeFacebook
    keeper: Keeper
    lines: list[str] = field(default_factory=list)  # what `lab.start()` says of them
    others: list[Process] = field(default_factory=list)  # beside Redis, those that the lab can't do without
    redis: RedisServer | None = None  # the notebook's own; None where it uses somebody else's
    shared: bool = False  # whether the notebook uses a database, and the worker there, that others use, too
    kills_redis: bool = False  # whether the notebook asked for a Redis to kill: lab.start(private=True)

    @property
    def is_private(self) -> bool:
        """Whether the Redis is this notebook's own."""
        return self.redis is not None

    @property
    def processes(self) -> list[Process]:
        """Those that the lab can't do without, as they are now: a Redis that was started again is another process."""
        return [*([self.redis.process] if self.redis else []), *self.others]


_lab: Lab | None = None


def current() -> Lab:
    """The open lab. Raises `LabError` if there is none."""
    if _lab is None:
        raise LabError("The lab is not open yet: run lab.start() first.")
    return _lab


def is_open() -> bool:
    """Whether `lab.start()` has opened one."""
    return _lab is not None


def keep_open(lab: Lab) -> None:
    """This is the lab of the kernel from now on."""
    global _lab
    _lab = lab
