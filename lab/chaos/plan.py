"""The plan of a storm: what is killed and when, all from one seed."""

import random
from dataclasses import dataclass

WORKER, PROCESS, REDIS = "a worker", "a process of a worker", "Redis"
KINDS = {WORKER: 0.4, PROCESS: 0.4, REDIS: 0.2}  # how likely each is
GAP_SECONDS = (1.0, 2.2)  # between two kills
DOWN_SECONDS = (0.2, 1.0)  # that Redis is away


@dataclass(frozen=True)
class Kill:
    """One kill of the plan. `at` is in seconds from the start of the storm, and `down` how long Redis is away."""

    at: float
    what: str
    worker: int  # which one, from 0
    down: float


def forecast(seed: int, seconds: float, workers: int) -> list[Kill]:
    """All kills of a storm: the same seed, the same plan. Each kind comes at least once if there is time."""
    dice = random.Random(seed)
    first = dice.sample(list(KINDS), len(KINDS))
    plan: list[Kill] = []
    at = 1 + dice.uniform(*GAP_SECONDS) / 2
    while at < seconds:
        what = first.pop() if first else dice.choices(list(KINDS), list(KINDS.values()))[0]
        plan.append(Kill(at, what, dice.randrange(workers), dice.uniform(*DOWN_SECONDS)))
        at += dice.uniform(*GAP_SECONDS)
    return plan
