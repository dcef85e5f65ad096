"""`lab.watch`: record what runs inside a `with` block, and show it."""

import time
from contextlib import nullcontext, suppress

from .errors import LabError
from .live import LiveLanes
from .recorder import Recorder, Run
from .services import current


class watch:  # noqa: N801 (used as a function)
    """Record and show what runs inside a block: `with lab.watch("…") as run:`.

    In JupyterLab the lanes grow while tasks run; what stays is the picture of the whole block. The `Run` it
    gives holds the evidence: `took` (seconds), `tasks`, `requests` and `peak` (as the server counted them).
    """

    def __init__(self, title: str) -> None:
        self._fb = current().fb
        self._run = Run(title)

    def __enter__(self) -> Run:
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
        witness = self._fb.witness()
        self._run.requests, self._run.peak = witness.requests, witness.peak
        self._live.show_last_frame()
