"""One request as the mock Facebook saw it: plain data, which all rooms may pass on."""

from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True)
class SeenRequest:
    """One call as the server saw it. Times are seconds since the Unix epoch; None: not over yet."""

    user: str
    edge: str
    status: int | None
    arrival: float
    end: float | None


def peak_of(requests: list[SeenRequest]) -> int:
    """How many of these requests were in flight at once, at most."""
    moments = [(r.arrival, 1) for r in requests] + [(r.end, -1) for r in requests if r.end is not None]
    return max(accumulate(step for _, step in sorted(moments)), default=0)
