"""Who uses the processor: `lab.watch_cpu` measures it while a block runs, `lab.draw_cpu` shows it over time.

"Cores" are seconds of processor time per second of the clock: a process that computes without a pause uses one.
The operating system counts both, for each process and for each core, in steps of a hundredth of a second.
"""

import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from .charts import INK, MODEL, RUNNING, WAITING, Picture, finish, new_axes
from .errors import LabError
from .processes import Process
from .style import plain

INTERVAL = 0.1  # seconds between two samples
QUOTA = Path("/sys/fs/cgroup/cpu.max")  # in a container: microseconds of processor time, and in how many of the clock


@dataclass(frozen=True)
class Sample:
    """A stretch of time: when it began and how long it was (seconds), and cores used by us and left to us."""

    begin: float
    seconds: float
    ours: float
    free: float  # what we used, and what nobody did


@dataclass
class Usage:
    """The processor while a block ran."""

    title: str
    took: float = 0.0  # seconds of the clock, from the block's begin to its end
    seconds: float = 0.0  # seconds of processor time that the watched processes used
    samples: list[Sample] = field(default_factory=list)

    @property
    def cores(self) -> float:
        """Cores used, on average."""
        return self.seconds / self.took

    def possible(self, processes: int) -> float:
        """Cores that so many computing processes could use, on average: one each, as far as others leave them."""
        return sum(min(processes, each.free) * each.seconds for each in self.samples) / self.took


class watch_cpu:  # noqa: N801 (used as a function)
    """Measure which cores some workers use while a block runs: `with lab.watch_cpu("…", worker) as usage:`.

    All processes that a worker has when the block begins are counted; `lab.fb.process` can be watched, too. Without
    a worker it is this notebook that is watched. Raises `LabError` for a worker that has ended.
    """

    def __init__(self, title: str, *workers: Process) -> None:
        self._usage = Usage(title)
        self._processes = [process for worker in workers for process in processes_of(worker)] or [psutil.Process()]

    def __enter__(self) -> Usage:
        self._used = {process: 0.0 for process in self._processes}
        self._over = threading.Event()
        self._begin = time.perf_counter()
        self._last = (self._begin, self._ours(), idle_seconds())
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
        while not self._over.wait(INTERVAL):
            self._sample()

    def _sample(self) -> None:
        before, self._last = self._last, (time.perf_counter(), self._ours(), idle_seconds())
        if self._last[0] - before[0] < INTERVAL / 2 and self._usage.samples:
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
                times = process.cpu_times()
                self._used[process] = times.user + times.system
        return sum(self._used.values())


def processes_of(worker: Process) -> list[psutil.Process]:
    """The worker and the processes of its pool. Raises `LabError` if it has ended."""
    try:
        parent = psutil.Process(worker.pid)
        processes = [parent, *parent.children(recursive=True)]
    except psutil.Error:
        processes = []
    if not processes or worker.returncode is not None:
        raise LabError(f"{worker.name} has ended. Run the cell again that starts it.")
    return processes


def idle_seconds() -> float:
    """How long the cores that we may use had nothing to do, summed up since the machine started."""
    every = psutil.cpu_times(percpu=True)
    allowed = _allowed()
    return sum(t.idle + getattr(t, "iowait", 0) for n, t in enumerate(every) if allowed is None or n in allowed)


def cores() -> float:
    """The cores that this notebook and its workers may use: all, or what a container or `taskset` leaves of them."""
    allowed = _allowed()
    count = psutil.cpu_count() or 1 if allowed is None else len(allowed)
    with suppress(OSError, ValueError):  # no such file, or "max": no limit
        limit, period = QUOTA.read_text().split()
        count = min(count, int(limit) / int(period))
    return count


def _allowed() -> set[int] | None:
    """Numbers of the cores that this process may run on; None where the system does not say (macOS)."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None


def memory(worker: Process) -> tuple[float, float]:
    """Memory of a worker's processes in MB: shared pages divided among those that share them, and counted in each.

    The first is the sum of their proportional set sizes, or, where the system has none (macOS), of what each has
    alone; the second is the sum of their resident set sizes. Raises `LabError` if the worker has ended.
    """
    fair, resident = 0, 0
    for process in processes_of(worker):
        with suppress(psutil.NoSuchProcess):
            info = process.memory_full_info()
            fair += getattr(info, "pss", info.uss)
            resident += info.rss
    return fair / 1e6, resident / 1e6


@plain
def draw_cpu(*usages: Usage, title: str) -> Picture:
    """The cores used over time, one panel for each usage, all on one axis of seconds.

    Solid is what the watched processes used, pale on top of it what all other programs did.
    """
    from matplotlib.ticker import MaxNLocator

    if not usages:
        raise LabError("draw_cpu takes what lab.watch_cpu gave: lab.draw_cpu(usage, title=…).")
    figure, _ = new_axes(1.15 * len(usages) + 0.7, "", "")
    figure.clear()
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, color=INK)
    last = max(usage.took for usage in usages)
    limit = cores()
    top = min(limit, max(2, *(round(sample.ours + 1) for usage in usages for sample in usage.samples)))
    for axes, usage in zip(figure.subplots(len(usages), sharex=True, squeeze=False)[:, 0], usages, strict=True):
        _draw_usage(axes, usage, limit)
        axes.set(xlim=(0, last * 1.02), ylim=(0, top * 1.08), ylabel="cores")
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=top >= 1))
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
        axes.set_axisbelow(True)
        axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    axes.set_xlabel("seconds")
    return finish(figure, "\n".join([title, *(f"{usage.title}: cores used over time" for usage in usages)]))


def _draw_usage(axes: Any, usage: Usage, limit: float) -> None:
    edges = [each.begin for each in usage.samples] + [usage.took]
    ours = [each.ours for each in usage.samples]
    all_used = [max(limit - each.free, 0) + each.ours for each in usage.samples]
    axes.stairs(all_used, edges, baseline=ours, fill=True, color=WAITING)
    axes.stairs(ours, edges, fill=True, color=RUNNING)
    axes.axhline(limit, color=MODEL, linewidth=1)
    headline = f"{usage.title}: {usage.took:.2f} s, {usage.cores:.2f} cores on average"
    axes.set_title(headline, loc="left", fontsize=10, weight="bold", color=INK)
