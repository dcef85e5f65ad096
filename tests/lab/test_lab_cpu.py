"""`lab.watch_cpu`, `lab.memory` and their pictures; instead of a worker they look at processes of the test."""

import subprocess
import sys
import time
from types import SimpleNamespace

import psutil
import pytest

import lab
from lab.charts import RUNNING, WAITING
from lab.cpu import Sample, Usage
from tests.lab.test_lab_charts import share_of

BURN = "import time; print(flush=True)\nwhile time.process_time() < 0.4: pass\ninput()"


def make_usage(second: float = 1.0, ours: float = 1.0, free: float = 2.0) -> Usage:
    samples = [Sample(0, second, ours, free), Sample(second, second, ours / 2, free / 4)]
    return Usage("busy", 2 * second, 1.5 * ours * second, samples)


def test_a_model_takes_no_more_cores_than_others_left():
    usage = make_usage()
    assert usage.cores == 0.75
    assert [usage.possible(n) for n in (1, 2, 3)] == [0.75, 1.25, 1.25]  # free were two cores, then half a one


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


def test_there_is_a_core_and_a_container_may_have_less(tmp_path, monkeypatch):
    everything = lab.cores()
    assert everything > 0
    quota = tmp_path / "cpu.max"
    monkeypatch.setattr(lab.cpu, "QUOTA", quota)
    quota.write_text("max 100000\n")
    assert lab.cores() >= everything
    quota.write_text("50000 100000\n")
    assert lab.cores() == 0.5


def test_ours_is_solid_and_what_others_use_is_pale(monkeypatch):
    monkeypatch.setattr(lab.cpu, "cores", lambda: 2)
    quiet, busy = (lab.draw_cpu(make_usage(free=free), title="T") for free in (2, 1))
    assert share_of(quiet, RUNNING) == pytest.approx(share_of(busy, RUNNING), rel=0.02)
    assert share_of(quiet, RUNNING) > 0.02
    assert share_of(busy, WAITING) > share_of(quiet, WAITING) > 0.02
    assert quiet.words == lab.draw_cpu(make_usage(1.3, 1.1), title="T").words == "T\nbusy: cores used over time"
    with pytest.raises(lab.LabError, match="draw_cpu takes what lab.watch_cpu gave"):
        lab.draw_cpu(title="T")
