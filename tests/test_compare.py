"""The comparison's own arithmetic and words. What it measures needs the peers: `make compare`."""

import json
from types import SimpleNamespace

import pytest

from benchmarks.compare import figures, measure
from benchmarks.compare.chart import draw
from benchmarks.compare.figures import Record, Spread

BEST = {"Celery": "batches", "Huey": "batches", "asyncio": "single"}
ABOUT = {
    "calls": 1000, "latency": 2.0, "rounds": 3, "singles": 1, "cores": 2, "load_at_start": [0.5, 0.4, 0.3],
    "system": "Linux", "python": "3.11.7", "packages": {"celery": "5.7.0"}, "peers": dict.fromkeys(BEST),
}  # fmt: skip


def records(*rows):
    return [Record(measure, peer, value, []) for measure, peer, *values in rows for value in values]


RECORDS = [
    *records(("five", "Celery", 12.0, 30.0, 14.0), ("five", "Huey", 8.0, 7.0, 90.0), ("five", "asyncio", 4.0)),
    *records(("start", "Celery", 1.5), ("start", "Huey", 0.5)),
    *records(("finished", "Celery", 300.0), ("finished", "Huey", 900.0)),
    *records(("batches", "Celery", 2.4, 2.5, 2.6), ("single", "Celery", 9.0), ("single", "asyncio", 2.6, 2.7, 2.5)),
    Record("safe", "Celery", 7.0, [], {"outcome": "recovered"}),
    Record("default", "Celery", 22.0, [], {"outcome": "lost"}),
]


def test_median_and_spread():
    assert figures.spread([3.0, 1.0, 2.0, 10.0]) == Spread(2.5, 1.0, 10.0, 4)


def test_each_peer_is_judged_by_its_best_way():
    calls = figures.summary(RECORDS, BEST)["calls"]
    assert calls["Celery"].median == 2.5
    assert calls["asyncio"].median == 2.6


def test_a_wrong_measurement_does_not_count():
    found = figures.summary([*RECORDS, Record("batches", "Celery", 0.1, ["1 wrong answers"])], BEST)
    assert found["calls"]["Celery"].least == 2.4


def test_a_peer_that_failed_in_every_round_is_absent():
    assert figures.summary([Record("five", "Huey", 0.0, ["TimeoutError"])], BEST) == {}


@pytest.mark.parametrize(
    ("measure", "ours", "other", "words"),
    [
        ("five", 10.0, 20.0, "Celery is best"),
        ("five", 20.0, 10.0, "Celery is second of 2; Huey is 2.0 times as good"),
        ("finished", 300.0, 900.0, "Celery is second of 2; Huey is 3.0 times as good"),
        ("finished", 900.0, 300.0, "Celery is best"),
        ("calls", 2.10, 2.0, "Celery is second of 2; Huey is 5% better"),
    ],
)
def test_verdict_says_where_celery_loses(measure, ours, other, words):
    peers = {"Celery": figures.spread([ours]), "Huey": figures.spread([other])}
    assert figures.verdict(measure, peers) == words


def test_lead_says_where_the_milliseconds_go():
    five = {peer: figures.spread([value]) for peer, value in {"Celery": 9.0, "Huey": 7.0, "asyncio": 4.0}.items()}
    sending = {peer: figures.spread([value]) for peer, value in {"Celery": 4.0, "Huey": 1.0}.items()}
    words = "Five calls: Celery takes 2.0 ms longer than Huey, sending alone 3.0."
    assert figures.lead(five, sending) == words
    assert figures.lead(five | {"Celery": figures.spread([6.0])}, sending) == ""
    assert figures.lead({}, {}) == ""


def test_headline():
    five, many, noops = figures.headline(figures.summary(RECORDS, BEST), 1000).split(" · ")
    assert five == "Five calls: Celery adds 14 ms, Huey 8"
    assert many == "1,000 calls: 2.50 s, asyncio 2.60 s"
    assert noops == "no-ops: Huey leads"


def test_json_says_all_and_what_is_wrong():
    wrong = Record("five", "Huey", 1.23456, ["4 answers to 5 calls"])
    result = json.loads(json.dumps(figures.as_json([*RECORDS, wrong], BEST, ABOUT)))
    assert result["wrong"] == ["Huey, five: 4 answers to 5 calls"]
    assert result["killed"] == {"Celery": {"safe": ["recovered"], "default": ["lost"]}}
    assert result["figures"]["calls"]["Celery"] == {"median": 2.5, "least": 2.4, "most": 2.6, "count": 3}
    assert result["records"][-1]["value"] == 1.2346


def test_chart_says_in_words_what_it_shows():
    picture = draw(figures.as_json(RECORDS, BEST, ABOUT))
    assert picture.png.startswith(b"\x89PNG")
    assert "no-op tasks done a second: Celery is second of 2" in picture.words
    assert "Celery default lost" in picture.words


# A peer that loses, swaps or invents

PATHS = ["/v1/a/photos", "/v1/b/photos"]
EXPECTED = {"/v1/a/photos": [1], "/v1/b/photos": [2]}
ANSWERS = [{"data": [1]}, {"data": [2]}]


def seen(*users, status=200):
    return SimpleNamespace(requests=[SimpleNamespace(user=user, edge="photos", status=status) for user in users])


def test_nothing_is_wrong_with_right_answers():
    assert measure.problems(PATHS, ANSWERS, EXPECTED, seen("b", "a")) == []


@pytest.mark.parametrize(
    ("answers", "witness", "words"),
    [
        (ANSWERS[:1], seen("a", "b"), "1 answers to 2 calls"),
        (ANSWERS[::-1], seen("a", "b"), "2 wrong answers"),
        ([ANSWERS[0], None], seen("a", "b"), "1 wrong answers"),
        (ANSWERS, seen("a"), "the server saw 1 requests, 1 paths never"),
        (ANSWERS, seen("a", "b", "b"), "the server saw 3 requests, 0 paths never"),
        (ANSWERS, seen("a", "b", status=500), "2 requests without a 200"),
    ],
)
def test_lost_swapped_and_invented_answers_are_seen(answers, witness, words):
    assert words in measure.problems(PATHS, answers, EXPECTED, witness)
