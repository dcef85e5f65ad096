"""`lab.watch`: record what runs inside a `with` block, and show it."""

import time
from contextlib import nullcontext, suppress

from ..basics.errors import LabError
from ..basics.request import peak_of
from ..basics.waiting import wait_until
from ..draw.lanes import draw_lanes, groups_of
from ..draw.live import Live, frame_of
from ..record.recorder import Recorder
from ..record.run import Run
from ..services.facebook import FakeFacebook
from ..services.open_lab import current

QUIET_SECONDS = 0.1  # without a request: then nothing of an earlier cell is still running
SETTLE_SECONDS = 20  # for earlier cells to come to an end


class Watch:
    """Record and show what runs inside a block: `with lab.watch("…") as run:`.

    title:  stands above the picture
    second: the label of tasks that are of a second kind, and drawn in another colour (default "": none)

    In JupyterLab the lanes grow while tasks run; what stays is the picture of the whole block. The `Run` it
    gives holds the evidence: `took` (seconds), `tasks`, `requests` and `peak` (the most requests at once).
    """

    def __init__(self, title: str, *, second: str = "") -> None:
        self._fb = current().fb
        self._run = Run(title, second=second)

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


class LiveLanes(Live):
    """The lanes of a run that is still going on."""

    def __init__(self, run: Run, fb: FakeFacebook) -> None:
        self._run, self._fb = run, fb
        super().__init__(run.title, self._lanes)

    def show_last_frame(self) -> None:
        """Put the picture of the whole block in the place of the lanes."""
        self.show(lambda: draw_lanes(self._run))

    def _lanes(self) -> str | None:
        try:
            if not self._run.tasks:
                self._run.requests = self._fb.witness().requests
        except LabError:
            return None  # the server is gone: the block itself will say so
        return frame_of(self._run.title, groups_of(self._run), time.time() - self._run.started)


def wait_until_quiet(fb: FakeFacebook) -> None:
    """Wait for requests that earlier cells have started: a run measures its own only.

    Raises `LabError` if they are not over after `SETTLE_SECONDS`.
    """
    late = f"Earlier cells still send requests to {fb.url}. Wait for their end, or restart the kernel."
    wait_until(lambda: _is_quiet(fb), SETTLE_SECONDS, lambda: late, pause=QUIET_SECONDS / 2)


def _is_quiet(fb: FakeFacebook) -> bool:
    seen = fb.witness()
    last = max((request.end or 0 for request in seen.requests), default=0)
    return seen.in_flight == 0 and time.time() - last > QUIET_SECONDS
