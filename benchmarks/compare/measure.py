"""How a peer is measured: workers up and warm, the clock, every answer checked, the server as witness."""

import contextlib
import signal
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import psutil
import redis

from lab.basics.environment import child_environment
from lab.basics.errors import LabError
from lab.basics.places import ROOT
from lab.basics.waiting import wait_until
from lab.record.processor import used_seconds
from lab.record.workers import family, memory
from lab.services.facebook import Witness
from lab.services.open_lab import current
from lab.services.process import Process

from . import work
from .figures import PARTS, Record
from .peers import Peer

EDGES = ("photos", "posts", "likes", "friends", "events")
BATCH_URLS = 100  # in one task
WARM_SECONDS = 0.5  # that a call takes while the workers warm up
WARM_CALLS = 100  # where each is a task: a peer with 25 slots would warm up for minutes with all
MOST_ROUNDS = 3  # to see all slots of a worker busy at once
START_SECONDS = 60  # until a worker must have answered
PATIENCE_SECONDS = 120  # for a measure, on top of what its model says
LEAST_SLOTS = 25  # of the smallest pool that is given a thousand calls, for the model
STOP_SECONDS = 2  # for workers to end by themselves
HOLD_SECONDS = 2.0  # that the task takes which a kill interrupts
RETURN_SECONDS = 20  # four times what each peer is set to, until a task that has not come back is lost


@dataclass
class Bench:
    """What all measures share."""

    latency: float
    expected: dict[str, Any] = field(default_factory=dict)  # the answers, by path
    number: int = 0  # of workers started, for the names of their logs

    def urls(self, paths: Sequence[str], latency: float) -> list[str]:
        return [f"{current().fb.url}{path}?limit=5&latency={latency}" for path in paths]

    def expect(self, paths: Sequence[str]) -> None:
        """Fetch the answers beforehand, at once, to compare with."""
        missing = [path for path in paths if path not in self.expected]
        for path, answer in zip(missing, work.fetch_many(self.urls(missing, 0)), strict=True):
            self.expected[path] = answer["data"]


def timeline() -> list[str]:
    """The five calls that a user's timeline takes."""
    return [f"/v1/ada/{edge}" for edge in EDGES]


def crowd(calls: int) -> list[str]:
    """So many calls, each with an answer of its own."""
    return [f"/v1/user{number:05}/photos" for number in range(calls)]


def problems(paths: Sequence[str], answers: Sequence[Any], expected: dict[str, Any], seen: Witness) -> list[str]:
    """What is wrong with the answers, or with what the server saw; nothing, if all is well."""
    found = []
    if len(answers) != len(paths):
        found.append(f"{len(answers)} answers to {len(paths)} calls")
    wrong = sum(
        not isinstance(answer, dict) or answer.get("data") != expected[path]
        for path, answer in zip(paths, answers, strict=False)
    )
    if wrong:
        found.append(f"{wrong} wrong answers")
    arrived = sorted(f"/v1/{request.user}/{request.edge}" for request in seen.requests)
    if arrived != sorted(paths):
        found.append(f"the server saw {len(arrived)} requests, {len(set(paths) - set(arrived))} paths never")
    if failed := sum(request.status != 200 for request in seen.requests):
        found.append(f"{failed} requests without a 200")
    return found


def call(bench: Bench, peer: Peer, use: str, paths: Sequence[str], latency: float) -> dict[str, Any]:
    """Have all paths fetched: seconds until the last answer is there, how many were in flight, what is wrong."""
    fb = current().fb
    urls = bench.urls(paths, latency)
    timeout = PATIENCE_SECONDS + latency * (1 + len(urls) / LEAST_SLOTS)
    fb.forget()
    begin, epoch = time.perf_counter(), time.time()
    if use == "batches":
        tickets = peer.send("fetch_many", [urls[n : n + BATCH_URLS] for n in range(0, len(urls), BATCH_URLS)])
    else:
        tickets = peer.send("fetch", urls)
    sending = time.perf_counter() - begin
    answers = peer.answers(tickets, timeout)
    if use == "batches":
        answers = [answer for batch in answers for answer in batch]
    seconds = time.perf_counter() - begin
    seen = fb.witness()
    slowest = max((request.end - request.arrival for request in seen.requests if request.end), default=0.0)
    return {
        "seconds": seconds,
        "sending": sending,
        "arrived": max((request.arrival for request in seen.requests), default=epoch) - epoch,
        "overhead": seconds - slowest,
        "peak": seen.peak,
        "problems": problems(paths, answers, bench.expected, seen),
    }


def warm(bench: Bench, peer: Peer, use: str, paths: Sequence[str], latency: float = WARM_SECONDS) -> None:
    """Calls that are not counted, until the server has seen all of them in flight at once: then every process is
    there and has loaded what it needs. Where one call a task does not reach that, or a busy machine, it ends after
    `MOST_ROUNDS` rounds: the peak of the calls that count is noted with them."""
    for _ in range(MOST_ROUNDS):
        if call(bench, peer, use, paths, latency)["peak"] == len(paths):
            return


@contextlib.contextmanager
def workers(bench: Bench, peer: Peer, use: str) -> Iterator[tuple[list[Process], float]]:
    """The workers of a peer and the seconds until they answered; at the end nothing of them is left."""
    if not peer.WORKERS[use]:
        yield [], 0.0
        return
    environment = child_environment(ROOT, COMPARE_USE=use, **getattr(peer, "ENVIRONMENT", {}).get(use, {}))
    processes: list[Process] = []
    try:
        tickets = peer.send("echo", [0])  # it waits for them
        begin = time.perf_counter()
        for argv in peer.WORKERS[use]:
            bench.number += 1
            name = f"{peer.NAME} {use} {bench.number}"
            processes.append(Process(current().keeper, name, argv, env=environment, cwd=ROOT))
        peer.answers(tickets, START_SECONDS)
        yield processes, time.perf_counter() - begin
    except Exception as error:
        tails = [process.tail() for process in processes]
        raise LabError("\n".join([f"{type(error).__name__}: {error}", *tails])) from error
    finally:
        end(processes, grace=STOP_SECONDS)


def end(processes: Sequence[Process], *, grace: float = 0) -> None:
    """SIGTERM and some seconds, if there are any, then SIGKILL for all that is left of them and their children, also
    for those with a process group of their own."""
    everyone = [each for process in processes for each in family(process.pid)]
    if grace:
        for process in processes:
            process.signal(signal.SIGTERM)
        psutil.wait_procs(everyone, timeout=grace)
    for each in everyone:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    for process in processes:
        process.kill()
    _, left = psutil.wait_procs(everyone, timeout=10)
    if left:
        raise LabError(f"still there after a SIGKILL: {left}")


def late(peer: Peer, processes: Sequence[Process]) -> str:
    return "\n".join([f"{peer.NAME}: the task did not begin", *(process.tail() for process in processes)])


# The measures


def five(bench: Bench, peer: Peer) -> list[Record]:
    """Five calls at once: what comes on top of the slowest, and how much of it passes until all are sent and until all
    have arrived at the server; the rest is the way back. On the way, a worker's start and its memory."""
    paths = timeline()
    with workers(bench, peer, "five") as (processes, start):
        warm(bench, peer, "five", paths)
        record = call(bench, peer, "five", paths, bench.latency)
        size = sum(memory(process)[0] for process in processes)
    if record["peak"] != len(paths):
        record["problems"].append(f"{record['peak']} in flight")
    records = [Record("five", peer.NAME, record["overhead"] * 1000, record["problems"], record)]
    if processes:
        records += [Record(part, peer.NAME, record[part] * 1000, record["problems"]) for part in PARTS]
        records += [Record("start", peer.NAME, start, []), Record("memory", peer.NAME, size, [])]
    return records


def thousand(bench: Bench, peer: Peer, use: str, calls: int) -> list[Record]:
    """Many calls, in one of the two ways: seconds until all answers are there."""
    paths = crowd(calls)
    with workers(bench, peer, use) as (processes, _):
        if use == "batches":
            warm(bench, peer, use, paths, bench.latency)
        else:
            warm(bench, peer, use, paths[:WARM_CALLS])
        spent = cpu(processes)
        record = call(bench, peer, use, paths, bench.latency)
        record["cpu"] = cpu(processes) - spent
    return [Record(use, peer.NAME, record["seconds"], record["problems"], record)]


def cpu(processes: Sequence[Process]) -> float:
    """Seconds of processor time that the workers have used so far."""
    return sum(used_seconds(each) for process in processes for each in family(process.pid))


def noop(bench: Bench, peer: Peer, count: int) -> list[Record]:
    """Tasks that do nothing: how many a second are sent, and how many are sent, done and answered."""
    with workers(bench, peer, "noop"):
        peer.answers(peer.send("echo", range(100)), PATIENCE_SECONDS)
        begin = time.perf_counter()
        tickets = peer.send("echo", range(count))
        sent = time.perf_counter() - begin
        answers = peer.answers(tickets, PATIENCE_SECONDS)
        seconds = time.perf_counter() - begin
    wrong = [] if answers == list(range(count)) else [f"{len(answers)} answers to {count} tasks, not all right"]
    return [Record("sent", peer.NAME, count / sent, wrong), Record("finished", peer.NAME, count / seconds, wrong)]


def killed(bench: Bench, peer: Peer, use: str) -> list[Record]:
    """A worker and all its processes get a SIGKILL while a task runs, and another worker starts: does the task come
    back? Meanwhile other tasks come and go, as they would."""
    token = f"{peer.NAME}-{use}-{uuid.uuid4().hex[:8]}"
    with redis.Redis.from_url(current().redis_url) as client, contextlib.ExitStack() as stack:

        def count(what: str) -> int:
            return int(client.get(f"{token}:{what}") or 0)

        processes, _ = stack.enter_context(workers(bench, peer, use))
        peer.send("hold", [(token, HOLD_SECONDS)], safe=use == "safe")
        wait_until(lambda: count("begun") == 1, START_SECONDS, lambda: late(peer, processes), pause=0.01)
        end(processes)
        begin = time.perf_counter()
        if count("done"):
            raise LabError(f"{peer.NAME}: the kill came too late.")
        stack.enter_context(workers(bench, peer, use))
        again = time.perf_counter()
        aside, echoes = False, []
        while not count("done") and not aside and time.perf_counter() - again < RETURN_SECONDS:
            echoes += peer.send("echo", [0])
            aside = hasattr(peer, "recover") and peer.recover()
            time.sleep(0.25)
        outcome = "recovered" if count("done") else "set aside" if aside else "lost"
        seconds = time.perf_counter() - begin
        peer.answers(echoes, PATIENCE_SECONDS)  # whatever became of the one task, the new worker does the others
        detail = {"outcome": outcome, "seconds": seconds, "begun": count("begun"), "done": count("done")}
    return [Record(use, peer.NAME, seconds, [], detail)]
