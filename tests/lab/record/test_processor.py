"""Cores: how many there are, and how many a model may count on."""

import lab
from lab.record import processor
from lab.record.processor import Sample, Usage


def test_a_model_takes_no_more_cores_than_others_left():
    usage = Usage("busy", 2.0, 1.5, [Sample(0, 1.0, 1.0, 2.0), Sample(1.0, 1.0, 0.5, 0.5)])
    assert usage.cores == 0.75
    assert [usage.possible(n) for n in (1, 2, 3)] == [0.75, 1.25, 1.25]  # free were two cores, then half a one


def test_there_is_a_core_and_a_container_may_have_less(tmp_path, monkeypatch):
    everything = lab.cores()
    assert everything > 0
    quota = tmp_path / "cpu.max"
    monkeypatch.setattr(processor, "QUOTA", quota)
    quota.write_text("max 100000\n")
    assert lab.cores() >= everything
    quota.write_text("50000 100000\n")
    assert lab.cores() == 0.5
