"""The witness: which requests arrived, when, and what they were answered.

Times are seconds since the Unix epoch, so that they can be compared with the timestamps of Celery's events. The
length of a request is measured on the monotonic clock, so a change of the machine's clock does not affect it.
The epoch is read again for each request, because the monotonic clock may stop while the machine sleeps.
"""

import time
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

MOST_REQUESTS = 50_000  # requests that are listed; older ones are only counted
REPORTED = ("user", "edge", "status", "arrival", "end")


@dataclass(slots=True, eq=False)
class Request:
    """One request. Status and end are None while it is in flight; a status of 0 means that no answer was
    given: the connection was dropped, by a fault or by the client."""

    user: str
    edge: str
    status: int | None
    arrival: float
    end: float | None
    began: float  # on the monotonic clock

    def age(self) -> float:
        """Seconds since the request arrived."""
        return time.monotonic() - self.began


class Stats:
    """What happened since the last ``clear``, and how many requests are in flight at this moment."""

    def __init__(self) -> None:
        self._in_flight: set[Request] = set()
        self.clear()

    def clear(self) -> None:
        """Forget all requests that have arrived. Those in flight continue, and still count as in flight."""
        self._counts: dict[str, Counter[int]] = {}
        self._requests: deque[Request] = deque(maxlen=MOST_REQUESTS)
        self._forgotten = set(self._in_flight)
        self._peak = len(self._in_flight)

    def begin(self, user: str, edge: str) -> Request:
        """Note a request that arrives now."""
        arrival = round(time.time(), 6)
        request = Request(user, edge, status=None, arrival=arrival, end=None, began=time.monotonic())
        self._requests.append(request)
        self._in_flight.add(request)
        self._peak = max(self._peak, len(self._in_flight))
        return request

    def end(self, request: Request, status: int) -> None:
        """Note that a request was answered now. Only the first end counts."""
        if request not in self._in_flight:
            return
        self._in_flight.remove(request)
        request.status, request.end = status, round(request.arrival + request.age(), 6)
        if request in self._forgotten:
            self._forgotten.remove(request)
        else:
            self._counts.setdefault(request.edge, Counter())[status] += 1

    def report(self) -> dict[str, Any]:
        """The statistics, ready for JSON."""
        return {
            "by_edge": {
                edge: {str(status): times for status, times in sorted(counts.items())}
                for edge, counts in sorted(self._counts.items())
            },
            "in_flight": len(self._in_flight),
            "peak": self._peak,
            "requests": [{name: getattr(request, name) for name in REPORTED} for request in self._requests],
        }
