"""`lab.watch_cpu` and `lab.memory`; instead of a worker they look at processes of the test."""

import subprocess
import sys
import time
from types import SimpleNamespace

import psutil
import pytest

import lab

BURN = "import time; print(flush=True)\nwhile time.process_time() < 0.4: pass\ninput()"


def test_it_measures_this_process():
    with lab.watch_cpu("here") as usage:
        began = time.process_time()
        while time.process_time() < began + 0.4:
            pass
    assert usage.seconds == pytest.approx(0.4, abs=0.1)
    assert usage.cores * usage.took == pytest.approx(usage.seconds)
    assert sum(sample.seconds for sample in usage.samples) == pytest.approx(usage.took)
    assert 0.6 * usage.possible(1) < usage.cores <= 1.1


def test_it_measures_another_process_and_not_this_one():
    with subprocess.Popen([sys.executable, "-c", BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        worker = SimpleNamespace(pid=other.pid, name="w", returncode=None)
        with lab.watch_cpu("there", worker) as usage:
            deadline, process = time.monotonic() + 30, psutil.Process(other.pid)
            while sum(process.cpu_times()[:2]) < 0.35:  # of 0.4; this loop costs about as much itself
                assert time.monotonic() < deadline
        fair, resident = lab.memory(worker)
        other.communicate(b"\n")
    assert 0.1 < usage.seconds < 0.6
    assert 1 < fair <= resident < 1000  # MB


def test_a_worker_that_has_ended_is_named():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    worker = SimpleNamespace(pid=ended.pid, name="five", returncode=0)
    with pytest.raises(lab.LabError, match="five has ended. Run the cell again that starts it."):
        lab.watch_cpu("x", worker)
    with pytest.raises(lab.LabError, match="five has ended"):
        lab.memory(worker)
