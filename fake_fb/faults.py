"""Failures on demand: the next answers of an edge go wrong in a way that was asked for."""

import time
from dataclasses import dataclass, replace
from typing import Any

from .errors import shown
from .params import LONGEST_LATENCY_SECONDS, json_object

MOST_TIMES = 1_000_000
LONGEST_RETRY_AFTER_SECONDS = 86_400  # a day


@dataclass(frozen=True, slots=True)
class Fault:
    """How the next answers of an edge fail.

    status: answer with this error, 400 to 599.
    times: the number of answers that fail; None means all until the faults are cleared.
    retry_after: the Retry-After header of that error, in seconds. (HTTP knows whole seconds only, see
        https://www.rfc-editor.org/rfc/rfc9110#field.retry-after; a fraction is sent as it is.)
    seconds: how long the fault lasts, from the first answer that fails; None means until the faults are cleared.
    latency: seconds from arrival to the answer, instead of the latency of the request.
    drop: close the connection without an answer.
    """

    status: int | None = None
    times: int | None = None
    seconds: int | float | None = None
    retry_after: int | float | None = None
    latency: int | float | None = None
    drop: bool = False


def parse(body: bytes) -> Fault:
    """The fault a request's JSON body asks for. ValueError: a sentence that says what is allowed."""
    wishes = json_object(body, example='{"status": 503, "times": 2}')
    for name, value in wishes.items():
        if name not in CHECKS:
            raise ValueError(f"unknown key {shown(name)}; the keys are {', '.join(CHECKS)}")
        CHECKS[name](value)
    fault = Fault(**wishes)
    if fault.status is None and fault.latency is None and not fault.drop:
        raise ValueError("a fault needs at least one of status, latency and drop")
    if fault.drop and fault.status is not None:
        raise ValueError("status and drop exclude each other: a dropped connection has no answer")
    if fault.retry_after is not None and fault.status is None:
        raise ValueError("retry_after needs a status: it is a header of that answer")
    return fault


class Faults:
    """The faults that are set, at most one for each edge."""

    def __init__(self) -> None:
        self._by_edge: dict[str, Fault] = {}
        self._ends: dict[str, float] = {}  # on the monotonic clock, of faults that last for some seconds

    def set(self, edge: str, fault: Fault) -> None:
        """Let the edge fail this way from now on; a fault set earlier is replaced."""
        self._by_edge[edge] = fault
        self._ends.pop(edge, None)

    def clear(self) -> None:
        """No edge fails any more."""
        self._by_edge.clear()
        self._ends.clear()

    def take(self, edge: str) -> Fault | None:
        """The fault of a request that arrives now, or None. It counts as used at once. If it
        counted only with the answer, N times could hit more than N requests that are in flight together."""
        self._end_what_is_over()
        fault = self._by_edge.get(edge)
        if fault is not None and fault.seconds is not None:
            self._ends.setdefault(edge, time.monotonic() + fault.seconds)
        if fault is None or fault.times is None:
            return fault
        if fault.times > 1:
            self._by_edge[edge] = replace(fault, times=fault.times - 1)
        else:
            del self._by_edge[edge]
        return fault

    def current(self) -> dict[str, Fault]:
        """The faults still set; ``times`` says how many answers are left."""
        self._end_what_is_over()
        return dict(sorted(self._by_edge.items()))

    def _end_what_is_over(self) -> None:
        for edge, end in list(self._ends.items()):
            if time.monotonic() >= end:
                del self._ends[edge]
                self._by_edge.pop(edge, None)


# In Python True is an int, in JSON it is not a number: isinstance() would accept it, type() does not.


def _check_status(value: Any) -> None:
    if type(value) is not int or not 400 <= value <= 599:
        raise ValueError(f"status must be a whole number from 400 to 599, not {shown(value)}")


def _check_times(value: Any) -> None:
    if value is not None and (type(value) is not int or not 1 <= value <= MOST_TIMES):
        raise ValueError(f"times must be a whole number from 1 to {MOST_TIMES} or null, not {shown(value)}")


def _check_lasts(value: Any) -> None:
    if value is not None:
        _check_seconds("seconds", value, LONGEST_RETRY_AFTER_SECONDS)


def _check_retry_after(value: Any) -> None:
    _check_seconds("retry_after", value, LONGEST_RETRY_AFTER_SECONDS)


def _check_latency(value: Any) -> None:
    _check_seconds("latency", value, LONGEST_LATENCY_SECONDS)


def _check_drop(value: Any) -> None:
    if type(value) is not bool:
        raise ValueError(f"drop must be true or false, not {shown(value)}")


def _check_seconds(name: str, value: Any, most: float) -> None:
    if type(value) not in (int, float) or not 0 <= value <= most:
        raise ValueError(f"{name} must be a number of seconds from 0 to {most:.0f}, not {shown(value)}")


CHECKS = {
    "status": _check_status,
    "times": _check_times,
    "seconds": _check_lasts,
    "retry_after": _check_retry_after,
    "latency": _check_latency,
    "drop": _check_drop,
}
