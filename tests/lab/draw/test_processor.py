"""The picture of who used the processor, drawn from samples made by hand."""

import pytest

import lab
from lab.draw.style import RUNNING, WAITING
from lab.record.processor import Sample, Usage
from tests.common import share_of


def make_usage(second: float = 1.0, ours: float = 1.0, free: float = 2.0) -> Usage:
    samples = [Sample(0, second, ours, free), Sample(second, second, ours / 2, free / 4)]
    return Usage("busy", 2 * second, 1.5 * ours * second, samples, limit=2)


def test_ours_is_solid_and_what_others_use_is_pale():
    quiet, busy = (lab.draw_cpu(make_usage(free=free), title="T") for free in (2, 1))
    assert share_of(quiet, RUNNING) == pytest.approx(share_of(busy, RUNNING), rel=0.02)
    assert share_of(quiet, RUNNING) > 0.02
    assert share_of(busy, WAITING) > share_of(quiet, WAITING) > 0.02
    assert quiet.words == lab.draw_cpu(make_usage(1.3, 1.1), title="T").words == "T\nbusy: cores used over time"
    with pytest.raises(lab.LabError, match="draw_cpu takes what lab.watch_cpu gave"):
        lab.draw_cpu(title="T")
