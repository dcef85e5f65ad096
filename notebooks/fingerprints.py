"""The tasks of notebooks 08, Processes, threads and CPU, and 08b, and how they are
measured.

A worker knows the tasks with `--include notebooks.fingerprints`.
"""

import hashlib
import os
import time
from collections.abc import Callable
from math import ceil
from typing import Any

import psutil

import lab
from tasks import app, fetch_url

PHOTO = bytes(1_000_000)
KEPT: list[bytes] = []


@app.task
def compute(rounds):
    """A number that takes Python many small steps."""
    number = 0
    for n in range(rounds):
        number = (number * 31 + n) % 4294967291
    return number


@app.task
def sha256(rounds):
    """A fingerprint of the same photo, so many times over, by a library in C."""
    for _ in range(rounds):
        fingerprint = hashlib.sha256(PHOTO).hexdigest()
    return fingerprint


@app.task
def leak(megabytes):
    """Keep so many further megabytes for ever. Returns the process id, and all that
    the process occupies now, in MB."""
    KEPT.append(os.urandom(megabytes * 1_000_000))
    return os.getpid(), psutil.Process().memory_info().rss / 1e6


def calibrate(task: Callable[[int], Any], seconds: float) -> int:
    """The rounds with which one call of the task costs about so many seconds of
    processor time here."""

    def cost(rounds: int) -> float:
        begin = time.process_time()
        task(rounds)
        return time.process_time() - begin

    rounds = 1
    while cost(rounds) < 0.05:
        rounds *= 2
    return ceil(rounds * seconds / min(cost(rounds) for _ in range(3)))


def burst(worker: Any, task: Any, argument: Any, *, calls: int = 6) -> Any:
    """Send six calls to the worker's queue at once, and wait for all of them.

    Gives what `lab.watch_cpu` measured meanwhile: `took` (seconds), `cores` (used, on
    average), `seconds` (of processor time).
    """
    with lab.watch_cpu(worker.queue, worker) as usage:
        _finish(_send(worker.queue, task, argument, calls), worker)
    return usage


def compare(usage: Any, processes: int) -> None:
    """Print the cores that were used, and compare them with the model: one for each of
    so many processes, as far as other programs leave them."""
    possible = usage.possible(processes)
    cores = f"{usage.cores:.2f} of {possible:.2f} cores"
    print(f"{usage.title}: {usage.took:.2f} s, {cores}, {usage.seconds:.2f} s of work")
    assert 0.7 * possible <= usage.cores <= processes + 0.25


def asked_after(url: str, worker: Any, *, calls: int = 6) -> list[float]:
    """Seconds until Facebook was asked for each of six photos, sent to the worker at
    once. Returns when all are there."""
    lab.fb.forget()
    begin = time.time()
    _finish(_send(worker.queue, fetch_url, url, calls), worker)
    return [request.arrival - begin for request in lab.fb.witness().requests]


def warm_up(*workers: Any) -> None:
    """Let each process of these workers make a call: the first one loads what it
    needs."""
    url = f"{lab.fb.url}/v1/ada/photos?latency=0.05"
    for worker in workers:
        worker.ready()
    sent = [_send(worker.queue, fetch_url, url, 10) for worker in workers]
    for tickets, worker in zip(sent, workers, strict=True):
        _finish(tickets, worker)


def _send(queue: str, task: Any, argument: Any, calls: int) -> list[Any]:
    return [task.apply_async([argument], queue=queue) for _ in range(calls)]


def _finish(tickets: list[Any], worker: Any) -> None:
    """Wait until all are done; a worker that ends before is an error at once."""
    for ticket in tickets:
        worker.wait_for("all was done", ticket.ready, timeout=60)
        ticket.get(timeout=5)
