"""The processes of a worker as the system sees them, and the memory that they take (`lab.memory`)."""

from contextlib import suppress
from typing import NamedTuple

import psutil

from ..basics.errors import LabError
from ..services.process import Process


def family(pid: int) -> list[psutil.Process]:
    """The process of this number and all its descendants; none if it has ended."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return []


def processes_of(worker: Process) -> list[psutil.Process]:
    """The worker and the processes of its pool. Raises `LabError` if it has ended."""
    processes = family(worker.pid)
    if not processes or worker.returncode is not None:
        raise LabError(f"{worker.name} has ended. Run the cell again that starts it.")
    return processes


class Memory(NamedTuple):
    """Memory of some processes in MB."""

    fair: float  # shared pages divided among those that share them
    resident: float  # shared pages counted in each


def memory(worker: Process) -> Memory:
    """Memory of a worker's processes in MB: `fair`, shared pages divided among those that share them, and `resident`,
    shared pages counted in each.

    worker: as `lab.worker` gave it; `lab.fb.process` will do, too

    The first is the sum of their proportional set sizes, or, where the system has none (macOS), of what each has
    alone; the second is the sum of their resident set sizes. Raises `LabError` if the worker has ended.
    """
    fair, resident = 0, 0
    for process in processes_of(worker):
        with suppress(psutil.NoSuchProcess):
            info = process.memory_full_info()
            fair += getattr(info, "pss", info.uss)
            resident += info.rss
    return Memory(fair / 1e6, resident / 1e6)
