"""`lab.watch`: record what runs inside a `with` block, and show it."""

import time
from contextlib import nullcontext, suppress
from itertools import accumulate

from .deadline import deadline
from .errors import LabError
from .facebook import FakeFacebook, Request
from .live import LiveLanes
from .recorder import Recorder, Run
from .services import current

QUIET = 0.1  # seconds without a request after which nothing of an earlier cell is still running
SETTLE = 20  # seconds that earlier cells have to come to an end


class watch:  # noqa: N801 (used as a function)
    """Record and show what runs inside a block: `with lab.watch("…") as run:`.

    In JupyterLab the lanes grow while tasks run; what stays is the picture of the whole block. The `Run` it
    gives holds the evidence: `took` (seconds), `tasks`, `requests` and `peak` (as the server counted them).
    """

    def __init__(self, title: str) -> None:
        self._fb = current().fb
        self._run = Run(title)

    def __enter__(self) -> Run:
        wait_until_quiet(self._fb)
        self._fb.forget()
        self._recorder = Recorder(self._run)
        self._live = LiveLanes(self._run, self._fb)
        self._run.started = time.time()
        self._clock = time.perf_counter()
        return self._run

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        self._run.took = time.perf_counter() - self._clock
        self._live.stop()
        with suppress(LabError) if failure else nullcontext():  # what went wrong in the block says more
            self._recorder.close()
        self._run.requests = self._fb.witness().requests
        self._run.peak = peak_of(self._run.requests)
        self._live.show_last_frame()


def wait_until_quiet(fb: FakeFacebook) -> None:
    """Wait for requests that earlier cells have started: a run measures its own only.

    Raises `LabError` if they are not over after `SETTLE` seconds.
    """
    late = f"Earlier cells still send requests to {fb.url}. Wait for their end, or restart the kernel."
    with deadline(SETTLE, lambda: late) as check:
        while not _is_quiet(fb):
            check()
            time.sleep(QUIET / 2)


def _is_quiet(fb: FakeFacebook) -> bool:
    seen = fb.witness()
    last = max((request.end or 0 for request in seen.requests), default=0)
    return seen.in_flight == 0 and time.time() - last > QUIET


def peak_of(requests: list[Request]) -> int:
    """How many of these requests were in flight at once, at most."""
    moments = [(r.arrival, 1) for r in requests] + [(r.end, -1) for r in requests if r.end is not None]
    return max(accumulate(step for _, step in sorted(moments)), default=0)
