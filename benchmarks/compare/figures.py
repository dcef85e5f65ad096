"""What comes of the measures: medians and spread, the words of the finding, the JSON and the chart."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: The measures with a number, in the order of the chart: what it is, its unit, and whether more is better.
MEASURES: dict[str, tuple[str, str, bool]] = {
    "five": ("five calls of {latency:g} s: above the slowest", "ms", False),
    "calls": ("{calls:,} calls of {latency:g} s, best setting", "s", False),
    "single": ("the same, one call a task", "s", False),
    "finished": ("no-op tasks done a second", "", True),
    "start": ("worker started to first answer", "s", False),
    "memory": ("memory of five slots", "MB", False),
}
PARTS = ("sending", "arrived")  # of "five": until all are sent, and until all are at the server
KILLS = ("default", "safe")
PLAIN = ("thread pool", "asyncio")  # no queue: they work in the process that asks


@dataclass(frozen=True)
class Record:
    """One measurement of one peer. What is wrong with it is in `problems`; a value that is wrong is not counted."""

    measure: str
    peer: str
    value: float
    problems: Sequence[str]
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Spread:
    """The median of several values, the least and the most of them, and how many."""

    median: float
    least: float
    most: float
    count: int


def spread(values: Sequence[float]) -> Spread:
    """Raises `statistics.StatisticsError` where there are no values."""
    return Spread(statistics.median(values), min(values), max(values), len(values))


def summary(records: Iterable[Record], best: Mapping[str, str]) -> dict[str, dict[str, Spread]]:
    """The spread of each measure for each peer, of those records that are right. `calls` is, for each peer, the use
    that `best` names."""
    values: dict[str, dict[str, list[float]]] = {}
    for record in records:
        if record.problems or record.measure in KILLS:
            continue
        values.setdefault(record.measure, {}).setdefault(record.peer, []).append(record.value)
        if record.measure == best[record.peer]:
            values.setdefault("calls", {}).setdefault(record.peer, []).append(record.value)
    return {measure: {peer: spread(each) for peer, each in peers.items()} for measure, peers in values.items()}


def queues(peers: Mapping[str, Spread]) -> dict[str, Spread]:
    """Those that have a queue. What a queue costs, five calls show; who has none has nothing to pay for."""
    return {peer: each for peer, each in peers.items() if peer not in PLAIN}


def verdict(measure: str, peers: Mapping[str, Spread], subject: str = "Celery") -> str:
    """Where the subject stands among the peers in one measure: "Celery is best", or who is better, and by how much.

    With five calls at once, queues alone are compared.
    """
    if measure == "five":
        peers = queues(peers)
    if subject not in peers:
        return ""
    if len(peers) == 1:
        return "nobody to compare with"
    more_is_better = MEASURES[measure][2]
    rank = sorted(peers, key=lambda peer: peers[peer].median, reverse=more_is_better)
    if rank[0] == subject:
        return f"{subject} is best"
    high, low = sorted((peers[rank[0]].median, peers[subject].median), reverse=True)
    if low <= 0:
        return ""
    place = ("second", "third", "fourth", "fifth", "sixth", "seventh")[rank.index(subject) - 1]
    better = f"{high / low:.1f} times as good" if high >= 1.1 * low else f"{high / low - 1:.0%} better"
    return f"{subject} is {place} of {len(rank)}; {rank[0]} is {better}"


def lead(five: Mapping[str, Spread], sending: Mapping[str, Spread], subject: str = "Celery") -> str:
    """Where the milliseconds go that the subject's five calls take longer than the best queue's; "" if it is the
    best, or was not measured."""
    ranked = {peer: each for peer, each in queues(five).items() if peer in sending}
    if subject not in ranked or (best := min(ranked, key=lambda peer: ranked[peer].median)) == subject:
        return ""
    more, until_sent = (each[subject].median - each[best].median for each in (ranked, sending))
    return f"Five calls: {subject} takes {more:.1f} ms longer than {best}, sending alone {until_sent:.1f}."


def kills(records: Iterable[Record]) -> dict[str, dict[str, list[str]]]:
    """For each peer and each of `KILLS`, what became of the interrupted tasks."""
    found: dict[str, dict[str, list[str]]] = {}
    for record in records:
        if record.measure in KILLS:
            outcome = record.detail.get("outcome", "unknown") if not record.problems else "unknown"
            found.setdefault(record.peer, {}).setdefault(record.measure, []).append(outcome)
    return found


def headline(figures: Mapping[str, Mapping[str, Spread]], calls: int) -> str:
    """The finding, in one line."""
    said = []
    five = queues(figures.get("five", {}))
    if "Celery" in five:
        least = min(five, key=lambda peer: five[peer].median)
        ours = f"Five calls: Celery adds {five['Celery'].median:.0f} ms"
        said.append(ours if least == "Celery" else f"{ours}, {least} {five[least].median:.0f}")
    many = figures.get("calls", {})
    if {"Celery", "asyncio"} <= many.keys():
        said.append(f"{calls:,} calls: {many['Celery'].median:.2f} s, asyncio {many['asyncio'].median:.2f} s")
    rate = figures.get("finished", {})
    if "Celery" in rate and len(rate) > 1:
        first = max(rate, key=lambda peer: rate[peer].median)
        said.append("no-ops: " + ("Celery leads" if first == "Celery" else f"{first} leads"))
    return " · ".join(said) or "nothing measured"


def as_json(records: Sequence[Record], best: Mapping[str, str], about: Mapping[str, Any]) -> dict[str, Any]:
    """All there is to say, ready for JSON."""
    figures = summary(records, best)
    return {
        "finding": headline(figures, about["calls"]),
        "about": dict(about),
        "figures": {
            measure: {peer: rounded(vars(each)) for peer, each in peers.items()} for measure, peers in figures.items()
        },
        "killed": kills(records),
        "wrong": [f"{each.peer}, {each.measure}: {'; '.join(each.problems)}" for each in records if each.problems],
        "records": [rounded(vars(each)) for each in records],
    }


def rounded(value: Any) -> Any:
    """The same with numbers of four decimals, as far down as it goes."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, Mapping):
        return {name: rounded(each) for name, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list | tuple) else value
