"""Where the time of a no-op goes: python -m benchmarks.compare.noops [--rounds 5] [--noops 1000] [--json FILE]

Two measures, each in turns. `whole`: no-ops sent, done and read, as `make compare` counts them, with the processor time
of each party and the commands that Redis counts. `worker`: what workers do a second, of a queue that was full before
they began, with one setting changed at a time. Notebook 13 reads the figures.
"""

import argparse
import json
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import redis

import lab
from lab.basics.environment import child_environment
from lab.basics.places import ROOT
from lab.basics.waiting import wait_until
from lab.record.processor import used_seconds
from lab.record.workers import family
from lab.services.open_lab import current
from lab.services.process import Process

from . import measure
from .peers import Peer, load

WARM = 100  # no-ops before those that count
PATIENCE_SECONDS = 120
FIRST, LAST = "noops:first", "noops:last"

Figures = dict[str, float]

#: For each way: options of `celery worker`, settings, how many workers, and what differs in the messages.
EVENTS, SOLO = ["--task-events"], ["--pool", "solo"]
TWO = ["--concurrency", "2"]
COURSE: dict[str, Any] = {"task_track_started": True, "worker_prefetch_multiplier": 1}
WAYS: dict[str, dict[str, Any]] = {
    "Celery's defaults": {"options": TWO},
    "with events": {"options": [*TWO, *EVENTS]},
    "with STARTED": {"options": TWO, "settings": {"task_track_started": True}},
    "log at INFO": {"options": [*TWO, "--loglevel", "INFO"]},
    "prefetch 1": {"options": TWO, "settings": {"worker_prefetch_multiplier": 1}},
    "prefetch 64": {"options": TWO, "settings": {"worker_prefetch_multiplier": 64}},
    "no result": {"options": TWO, "ignore": True},
    "no acknowledgement": {"options": TWO, "no_ack": True},
    "one process": {"options": ["--concurrency", "1"]},
    "solo": {"options": SOLO},
    "two solo": {"options": SOLO, "workers": 2},
    "two solo, no result": {"options": SOLO, "workers": 2, "ignore": True},
    "two solo, neither": {"options": SOLO, "workers": 2, "ignore": True, "no_ack": True},
    "the course's": {"options": [*TWO, *EVENTS, "--loglevel", "INFO"], "settings": COURSE},
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.compare.noops", description="Where the time of a no-op goes.")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, in turns (5)")
    parser.add_argument("--noops", type=int, default=1000, help="no-ops in each (1000)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    with redirect_stdout(sys.stderr):
        lab.start(worker=False, private=True)
        peers = {name: load(f"{name}_peer") for name in ("celery", "dramatiq")}
        about = {"noops": options.noops, "rounds": options.rounds, "cores": lab.cores(), "load": os.getloadavg()[0]}
        whole = in_turns(whole_ways(peers, options.noops), options.rounds)
        worker = worker_rates(options.noops, options.rounds)
    result = {"about": about, "whole": whole, "worker": worker}
    for what in ("whole", "worker"):
        print(f"\n{what}")
        for name, figures in result[what].items():
            print(f"  {name:22}", "  ".join(f"{key} {value:g}" for key, value in figures.items() if key != "commands"))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


def in_turns(ways: dict[str, Callable[[], dict[str, Any]]], rounds: int) -> dict[str, dict[str, Any]]:
    """For each way the medians of its figures, from rounds in which each has its turn."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, measured in ways.items():
            found[name].append(measured())
            print(f"{name:22}", found[name][-1]["rate"], file=sys.stderr, flush=True)
    return {name: medians(each) for name, each in found.items()}


def medians(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The median of each figure; the least and the most of the rates; and what Redis counted last."""
    figures = {key: round(statistics.median(each[key] for each in rounds), 3) for key in rounds[0] if key != "commands"}
    rates = [each["rate"] for each in rounds]
    return figures | {"least": min(rates), "most": max(rates), "commands": rounds[-1]["commands"]}


# Sent, done and read


def whole_ways(peers: dict[str, Peer], count: int) -> dict[str, Callable[[], dict[str, Any]]]:
    from celery.result import ResultSet

    bench, celery = measure.Bench(0.0), peers["celery"]

    def drowsy(tickets: Sequence[Any], timeout: float) -> list[Any]:
        return ResultSet(tickets).get(timeout=timeout)

    return {
        "Celery, default pause": lambda: whole(bench, celery, count, drowsy),
        "Celery": lambda: whole(bench, celery, count, celery.answers),
        "Dramatiq": lambda: whole(bench, peers["dramatiq"], count, peers["dramatiq"].answers),
    }


def whole(bench: measure.Bench, peer: Peer, count: int, answers: Callable[..., list[Any]]) -> dict[str, Any]:
    """No-ops a second from the first message to the last answer; milliseconds of the processor for each."""
    with measure.workers(bench, peer, "noop") as (processes, _):
        peer.answers(peer.send("echo", range(WARM)), PATIENCE_SECONDS)
        watched = [each for process in processes for each in family(process.pid)]
        used = Used({"workers": watched, "Redis": [redis_process()]})
        begin, own = time.perf_counter(), time.process_time()
        tickets = peer.send("echo", range(count))
        sent, sending = time.perf_counter() - begin, time.process_time() - own
        got = answers(tickets, PATIENCE_SECONDS)
        took, reading = time.perf_counter() - begin, time.process_time() - own - sending
        assert got == list(range(count)), f"{peer.NAME}: wrong answers"
        own_ms = {"sending": 1000 * sending / count, "reading": 1000 * reading / count}
        return {"rate": round(count / took), "seconds": took, "sent": round(count / sent), **own_ms, **used.each(count)}


# What workers do of a full queue


def worker_rates(count: int, rounds: int) -> dict[str, dict[str, Any]]:
    """While one way has its turn, the workers of all others are stopped."""
    workers = {name: started(f"noops{number}", way) for number, (name, way) in enumerate(WAYS.items())}

    def take(name: str, amount: int) -> dict[str, Any]:
        number = list(WAYS).index(name)
        return drained(workers[name], f"noops{number}", amount, ignore=WAYS[name].get("ignore", False))

    try:
        for name in WAYS:
            take(name, WARM)
        return in_turns({name: partial(take, name, count) for name in WAYS}, rounds)
    finally:
        measure.end([each for some in workers.values() for each in some])


def started(queue: str, way: dict[str, Any]) -> list[Process]:
    from .connection import PACKAGE, script  # now that the lab has a Redis

    variables = {"NOOP_SETTINGS": json.dumps(way.get("settings", {}))}
    if way.get("no_ack"):
        variables["NOOP_WITHOUT_ACK"] = queue
    processes = []
    for number in range(way.get("workers", 1)):
        name = f"{queue}-{number}"
        quiet = ("--without-mingle", "--hostname", f"{name}@noops", "--queues", queue)
        argv = script("celery", "-A", f"{PACKAGE}.noops_app", "worker", *way["options"], *quiet)
        environment = child_environment(ROOT, **variables)
        processes.append(Process(current().keeper, name, argv, env=environment, cwd=ROOT))
    return processes


def drained(workers: Sequence[Process], queue: str, count: int, *, ignore: bool) -> dict[str, Any]:
    """No-ops a second, from the first one done to the last; milliseconds of the processor for each."""
    from .noops_app import noop

    options = {"queue": queue, "ignore_result": ignore}
    for worker in workers:
        worker.signal(signal.SIGSTOP)
    noop.apply_async([FIRST], **options)
    for _ in range(count - 2):
        noop.apply_async(**options)
    noop.apply_async([LAST], **options)
    with redis.Redis.from_url(current().redis_url) as client:
        client.delete(FIRST, LAST)
        mains = [psutil.Process(worker.pid) for worker in workers]
        children = [child for main in mains for child in main.children(recursive=True)]
        used = Used({"main": mains, "children": children, "Redis": [redis_process()]})
        for worker in workers:
            worker.signal(signal.SIGCONT)
        wait_until(lambda: client.exists(FIRST, LAST) == 2, PATIENCE_SECONDS, lambda: workers[0].tail(), pause=0.02)
        took = float(client.get(LAST)) - float(client.get(FIRST))
        wait_until(lambda: not client.hlen("unacked"), PATIENCE_SECONDS, lambda: workers[0].tail(), pause=0.02)
    figures = {"rate": round(count / took), **used.each(count)}
    for worker in workers:
        worker.signal(signal.SIGSTOP)
    return figures


class Used:
    """Processor time by party, and commands to Redis, since this was made."""

    def __init__(self, parties: dict[str, list[psutil.Process]]) -> None:
        self.parties = parties
        self.begin, self.counted = self._used(), commands()

    def _used(self) -> Figures:
        return {name: sum(map(used_seconds, processes)) for name, processes in self.parties.items()}

    def each(self, count: int) -> dict[str, Any]:
        """Milliseconds for each of so many tasks, and how many commands of each kind."""
        used, counted = self._used(), commands()
        calls = {name: round((number - self.counted.get(name, 0)) / count, 1) for name, number in counted.items()}
        milliseconds = {name: 1000 * (used[name] - self.begin[name]) / count for name in used}
        return milliseconds | {"commands": {name: number for name, number in sorted(calls.items()) if number >= 0.1}}


def commands() -> dict[str, int]:
    with redis.Redis.from_url(current().redis_url, decode_responses=True) as client:
        return {name.removeprefix("cmdstat_"): each["calls"] for name, each in client.info("commandstats").items()}


def redis_process() -> psutil.Process:
    return psutil.Process(lab.redis.process.pid)


if __name__ == "__main__":
    main()
