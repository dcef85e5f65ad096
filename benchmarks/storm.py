"""Orders in a storm: workers and Redis killed at random, and what was lost, sent again and charged.

    python benchmarks/storm.py [--seeds 1-20] [--seconds 20] [--orders 300] [--deadline 15] [--no-file] [--json FILE]

A line for each seed, and the totals. Exits with 1 if an order was lost in the end, or charged twice.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import lab


def main() -> None:
    parser = argparse.ArgumentParser(description="Orders in a storm of kills.")
    parser.add_argument("--seeds", default="1-20", help="one seed, or first-last (1-20)")
    parser.add_argument("--seconds", type=float, default=20, help="of storm (20)")
    parser.add_argument("--orders", type=int, default=300, help="in the first three quarters of that time (300)")
    parser.add_argument("--deadline", type=float, default=15, help="of the outbox, in seconds (15)")
    parser.add_argument("--no-file", action="store_true", help="Redis without its append-only file: a kill empties it")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    first, _, last = options.seeds.partition("-")
    with redirect_stdout(sys.stderr):  # standard output is for the figures
        lab.start(worker=False, private=True)
    figures: list[dict[str, Any]] = []
    for seed in range(int(first), int(last or first) + 1):
        account, seconds = weather(seed, options)
        if not figures:
            show("seed", {name: name for name in account}, "seconds")
        show(seed, account, f"{seconds:.1f}")
        figures.append({"seed": seed, **account, "seconds": seconds})
    totals = {name: sum(each[name] for each in figures) for name in account}
    show("all", totals, "")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    if totals["lost"] or not totals["charged"] == totals["at the bank"] == totals["orders"]:
        sys.exit("an order was lost, or charged twice")


def weather(seed: int, options: argparse.Namespace) -> tuple[dict[str, int], float]:
    """One storm: its account, and how many seconds it took."""
    from notebooks.selling import empty_shop

    empty_shop()
    orders = [f"order-{number:04}" for number in range(options.orders)]
    every = 0.75 * options.seconds / len(orders)
    begin = time.time()
    try:
        with lab.storm(seed=seed, seconds=options.seconds, appendonly=not options.no_file) as storm:
            storm.sell(orders, every=every, deadline=options.deadline)
    except TimeoutError as error:
        print(error, *(slot.worker.tail() for slot in storm.slots), file=sys.stderr, sep="\n")
    return storm.account(), time.time() - begin


def show(seed: object, account: Mapping[str, object], seconds: str) -> None:
    print(f"{seed:>4}", *(f"{value:>{len(name)}}" for name, value in account.items()), seconds, sep="  ", flush=True)


if __name__ == "__main__":
    main()
