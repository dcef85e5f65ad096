"""Five slow calls, three ways in one run: one after the other, a thread pool, and Celery.

    python benchmarks/fan_out.py [--rounds 5] [--latency 2.0] [--json FILE]

Each round runs all three, so that a machine whose speed drifts drifts for all. Compare the ratios: seconds
depend on the machine. Exits with 1 if the server did not see one call at a time in sequence and five at once
in parallel.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import lab

EDGES = ("photos", "posts", "likes", "friends", "events")
PEAKS = {"sequential": 1, "threads": len(EDGES), "celery": len(EDGES)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Five slow calls: in sequence, on threads, on Celery.")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of all three (5)")
    parser.add_argument("--latency", type=float, default=2.0, help="seconds a call takes (2.0)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    if options.rounds < 1 or not 0 < options.latency <= 60:
        parser.error("give at least one round, and a latency above 0 and up to 60 seconds")
    with redirect_stdout(sys.stderr):  # standard output is for the figures
        lab.start()
    figures = measure(options.rounds, options.latency)
    print(json.dumps(figures, indent=2))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    if figures["peak_in_flight"] != PEAKS:
        sys.exit("the server saw other peaks than expected")


def measure(rounds: int, latency: float) -> dict[str, Any]:
    """Seconds of each way, best and median of all rounds, and their ratios."""
    urls = [f"{lab.fb.url}/v1/ada/{edge}?latency={latency}" for edge in EDGES]
    in_parallel([f"{url.partition('?')[0]}?latency=0.5" for url in urls])  # every process loads what it needs
    seconds: dict[str, list[float]] = {name: [] for name in WAYS}
    peaks: dict[str, int] = {}
    for _ in range(rounds):
        for name, way in WAYS.items():
            lab.fb.forget()
            begin = time.perf_counter()
            way(urls)
            seconds[name].append(time.perf_counter() - begin)
            peaks[name] = lab.fb.witness().peak
    best = {name: round(min(values), 4) for name, values in seconds.items()}
    median = {name: round(statistics.median(values), 4) for name, values in seconds.items()}
    return {
        "calls": len(urls),
        "latency": latency,
        "rounds": rounds,
        "best": best,
        "median": median,
        "speed_up": ratio(median, "sequential", "celery"),
        "celery_to_threads": ratio(median, "celery", "threads"),
        "peak_in_flight": peaks,
    }


def ratio(values: dict[str, float], above: str, below: str) -> float:
    return round(values[above] / values[below], 4)


def in_sequence(urls: list[str]) -> list[Any]:
    from tasks import fetch_url

    return [fetch_url(url) for url in urls]


def on_threads(urls: list[str]) -> list[Any]:
    from tasks import fetch_url

    with ThreadPoolExecutor(len(urls)) as pool:
        return list(pool.map(fetch_url, urls))


def in_parallel(urls: list[str]) -> list[Any]:
    from tasks import fetch_url

    tickets = [fetch_url.delay(url) for url in urls]
    return [ticket.get(timeout=120) for ticket in tickets]


WAYS: dict[str, Callable[[list[str]], list[Any]]] = {
    "sequential": in_sequence,
    "threads": on_threads,
    "celery": in_parallel,
}

if __name__ == "__main__":
    main()
