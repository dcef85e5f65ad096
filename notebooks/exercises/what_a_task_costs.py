"""The exercises of notebook 13, What a task costs: for each its check, a hint, and one
solution."""

from collections.abc import Mapping
from math import ceil
from typing import Any

import lab
from lab.cells.exercises import hint

PHOTOS = 60  # of each kind
SECONDS, MEGABYTES = 1, 30  # that one task may take
SLACK = 1.5  # times the fewest tasks that the limits allow
KNOWS: dict[str, Any] = {"include": "notebooks.noops", "wait": False}


@hint(
    "Call resize with few photos of each kind. Which limit does each kind meet first?"
)
def check_size_within_limits(sizes: Mapping[str, int], resize: Any) -> None:
    for kind in ("small", "large"):
        size = sizes.get(kind)
        whole = isinstance(size, int) and 1 <= size <= PHOTOS
        told = f"sizes[{kind!r}] is a whole number from 1 to {PHOTOS}, not {size!r}"
        assert whole, told

    yours = lab.worker(1, queues="resized", **KNOWS)
    try:
        yours.ready()

        def measured(kind: str, photos: int) -> tuple[float, float]:
            sent = resize.apply_async([kind, photos], queue="resized")
            return tuple(sent.get(timeout=60))

        measured("small", 1)  # a process is slower at its first task
        batch = {kind: measured(kind, sizes[kind]) for kind in ("small", "large")}
        single = {kind: measured(kind, 1) for kind in ("small", "large")}
    finally:
        yours.kill()

    for kind, (seconds, megabytes) in batch.items():
        said = f"a batch of {sizes[kind]} {kind} photos"
        assert seconds <= SECONDS, f"{said} took {seconds:.2f} s"
        assert megabytes <= MEGABYTES, f"{said} held {megabytes:.1f} MB"
    for kind, (seconds, megabytes) in single.items():
        most = min(SECONDS / seconds, MEGABYTES / megabytes)
        tasks = ceil(PHOTOS / sizes[kind])
        few = tasks <= SLACK * PHOTOS / most
        assert few, f"{tasks} tasks for {PHOTOS} {kind} photos: fewer are possible"


def solve_size_within_limits() -> dict[str, int]:
    sizes = {"small": 15, "large": 7}  # three quarters of a second, and 28 MB
    return sizes


ALLOWED = {"ignore_result", "serializer", "compression"}
TURNS, NOOPS, FACTOR, SHARE = 7, 120, 2, 0.75


@hint("Whose time is it? Drop what nobody reads, and give a second core to the worker.")
def check_faster_noops(
    pool: str,
    concurrency: int,
    workers: int,
    settings: Mapping[str, Any],
    options: Mapping[str, Any],
) -> None:
    from notebooks import noops

    few = isinstance(workers, int) and 1 <= workers <= 4
    assert few, f"workers is a whole number from 1 to 4, not {workers!r}"
    other = sorted(set(options) - ALLOWED)
    assert not other, f"options may not have {', '.join(other)}"

    default = [lab.worker(2, queues="default", **KNOWS)]
    yours = [
        lab.worker(concurrency, pool, "yours", settings=settings, **KNOWS)
        for _ in range(workers)
    ]
    ways: dict[str, dict[str, Any]] = {
        "default": {"queue": "default", "workers": default},
        "yours": {"queue": "yours", "workers": yours, "options": options},
    }
    try:
        table = noops.in_turns(ways, turns=TURNS, count=NOOPS)
    finally:
        for worker in [*default, *yours]:
            worker.kill()

    rates = table["no-ops a second"]
    times = rates["yours"] / rates["default"]
    main, children = table["worker, main, µs"], table["worker, pool, µs"]
    price = {name: main[name] + children[name] for name in ways}
    share = price["yours"] / price["default"]
    told = f"Yours: {times:.1f} times the no-ops a second"
    print(f"{told}, each for {share:.2f} of the processor time.")
    assert times >= FACTOR, f"{FACTOR} times as many are asked for"
    assert share <= SHARE, "more workers alone are not enough: make the no-op cheaper"


def solve_faster_noops() -> tuple[str, int, int, dict[str, Any], dict[str, Any]]:
    pool, concurrency, workers = "solo", 1, 2
    settings = {"worker_send_task_events": False, "task_track_started": False}
    options = {"ignore_result": True}
    return pool, concurrency, workers, settings, options
