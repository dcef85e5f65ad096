"""The counts over seconds, drawn from requests made by hand."""

import pytest

import lab
from lab.basics.request import SeenRequest
from lab.draw.histograms import _count
from lab.draw.style import FAILED, RUNNING
from tests.common import share_of

AT = 1_700_000_000.0


def make_requests(*moments: float, status: int | None = 200) -> list[SeenRequest]:
    return [SeenRequest("ada", "posts", status, AT + moment, AT + moment) for moment in moments]


def test_each_tenth_of_a_second_counts_its_own():
    # Written as sums and products of floats, tenths come out a little too small or too large.
    assert _count([(0.0, True), (0.3, True), (3 * 0.1, False), (0.39, True)]) == {0: (0, 1), 3: (1, 2)}


@pytest.mark.parametrize("status", [503, 0, None], ids=["refused", "dropped", "no answer yet"])
def test_a_request_without_a_good_answer_has_the_colour_of_failure(status):
    well, badly = (lab.draw_load({"a": make_requests(0, 1, status=each)}, title="T") for each in (200, status))
    assert share_of(well, RUNNING) and not share_of(well, FAILED)
    assert share_of(badly, FAILED) and not share_of(badly, RUNNING)
    assert badly.words == "T\na: 2 requests, 2 without a good answer"


def test_words_do_not_depend_on_timings():
    quick, slow = (lab.draw_load({"$a_{b": make_requests(0, 1 * n), "c": make_requests(5)}, title="T") for n in (1, 7))
    assert (
        quick.words
        == slow.words
        == "T\n$a_{b: 2 requests, 0 without a good answer\nc: 1 request, 0 without a good answer"
    )


def test_a_spread_says_how_many_waits():
    assert lab.draw_spread({"a": [0, 0.5, 2]}, title="T").words == "T\na: 3 waits"


@pytest.mark.parametrize("groups", [{}, {"a": []}, {"a": [-1.0]}])
def test_what_can_not_be_drawn_is_refused(groups):
    with pytest.raises(lab.LabError, match="draw_spread takes waits"):
        lab.draw_spread(groups, title="T")
    if not any(groups.values()):
        with pytest.raises(lab.LabError, match="draw_load takes requests"):
            lab.draw_load(groups, title="T")
