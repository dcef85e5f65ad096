"""`lab.watch_cpu`: measure who uses the processor while a block runs.

On entry it starts a thread, which takes a sample every tenth of a second until the block ends; then the notebook's own
thread takes the last one and adds up. `lab.draw_cpu` shows the samples.
"""

import threading
import time
from contextlib import suppress

import psutil

from ..record.processor import Sample, Usage, cores, idle_seconds, used_seconds
from ..record.workers import processes_of
from ..services.process import Process

INTERVAL_SECONDS = 0.1  # between two samples


class WatchCpu:
    """Measure which cores some workers use while a block runs: `with lab.watch_cpu("…", worker) as usage:`.

    title:   stands above the picture of `lab.draw_cpu`
    workers: those to watch, with all processes that they have when the block begins; `lab.fb.process` will do, too
             (default none: this notebook)

    The `Usage` it gives has `took` and `seconds` (of the clock, and of processor time), `cores` (used, on average) and
    `samples`. Raises `LabError` for a worker that has ended.
    """

    def __init__(self, title: str, *workers: Process) -> None:
        self._usage = Usage(title)
        self._processes = [process for worker in workers for process in processes_of(worker)] or [psutil.Process()]

    def __enter__(self) -> Usage:
        self._used = {process: 0.0 for process in self._processes}
        self._over = threading.Event()
        self._begin = time.perf_counter()
        self._last = (self._begin, self._ours(), idle_seconds())
        self._before = self._last  # the sample before the last one
        self._first = self._last[1]
        self._thread = threading.Thread(target=self._sample_on, name="lab-cpu", daemon=True)
        self._thread.start()
        return self._usage

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._sample()
        self._usage.took = self._last[0] - self._begin
        self._usage.seconds = self._last[1] - self._first

    def _sample_on(self) -> None:
        while not self._over.wait(INTERVAL_SECONDS):
            self._sample()

    def _sample(self) -> None:
        before, self._last = self._last, (time.perf_counter(), self._ours(), idle_seconds())
        if self._last[0] - before[0] < INTERVAL_SECONDS / 2 and self._usage.samples:
            # The last one is as long as it happens to be. In a few hundredths of a second the system's steps are
            # too coarse, so it is one with the sample before.
            self._usage.samples.pop()
            before = self._before
        self._before = before
        seconds, ours, idle = (now - then for now, then in zip(self._last, before, strict=True))
        free = min((ours + idle) / seconds, cores())
        self._usage.samples.append(Sample(before[0] - self._begin, seconds, ours / seconds, free))

    def _ours(self) -> float:
        """Seconds of processor time so far. What a process has used stays when it is gone."""
        for process in self._processes:
            with suppress(psutil.Error):
                self._used[process] = used_seconds(process)
        return sum(self._used.values())
