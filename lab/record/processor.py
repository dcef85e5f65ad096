"""Who used the processor, as plain data, and how many cores there are (`lab.cores`).

"Cores" are seconds of processor time per second of the clock: a process that computes without a pause uses one.
The operating system counts both, for each process and for each core, in steps of a hundredth of a second.
"""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

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
    took: float = 0.0  # seconds of the clock, from the block's start to its end
    seconds: float = 0.0  # seconds of processor time that the watched processes used
    samples: list[Sample] = field(default_factory=list)
    limit: float = field(default_factory=lambda: cores())  # cores that we might use

    @property
    def cores(self) -> float:
        """Cores used, on average."""
        return self.seconds / self.took

    def possible(self, processes: int) -> float:
        """Cores that so many computing processes could use, on average: one each, as far as others leave them."""
        return sum(min(processes, each.free) * each.seconds for each in self.samples) / self.took


def used_seconds(process: psutil.Process) -> float:
    """Seconds of processor time that the process has used so far."""
    times = process.cpu_times()
    return times.user + times.system


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
