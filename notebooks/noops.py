"""Tasks that do nothing, for notebook 13, What a task costs: who pays for them, how
many are done in a second, and where a worker's time goes.

A worker knows the tasks with `--include notebooks.noops`. The notebook uses the
functions below them. Times are for one task, in microseconds (µs): a million are a
second.
"""

import signal
import statistics
import time
import tracemalloc
from collections import Counter
from collections.abc import Sequence
from typing import Any

import psutil
from celery.result import ResultSet

import lab
from lab.record.processor import used_seconds
from tasks import app, fetch_url

FIRST, LAST = "noops:first", "noops:last"  # keys in Redis: when these were done
MINUTE = 60

store = app.backend.client
stacks: Counter[str] = Counter()


# In a worker


@app.task
def noop(mark=None):
    """Nothing. With a mark, note the time under this key."""
    if mark:
        store.set(mark, time.time())


@app.task
def nap(seconds):
    """Wait, and nothing else."""
    time.sleep(seconds)


@app.task
def resize(kind, photos):
    """Resize so many photos in one task, and keep all of them in memory until the last
    is done. Returns the seconds that it took and the most megabytes that it held."""
    begin, megabytes = time.perf_counter(), {"small": 0.5, "large": 4}[kind]
    tracemalloc.start()
    try:
        resized = []
        for _ in range(photos):
            time.sleep(0.05)
            resized.append(bytes(int(megabytes * 1_000_000)))
        return time.perf_counter() - begin, tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


@app.task
def note_stacks(seconds):
    """From now on, note each so many seconds which functions are at work."""
    stacks.clear()
    signal.signal(signal.SIGALRM, _note_stack)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)


@app.task
def noted():
    """Stop that, and return the notes: how often each stack of functions was seen."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    return stacks


def _note_stack(_, frame):
    functions = []
    while frame:
        file = frame.f_code.co_filename.rpartition("-packages/")[2]
        functions.append(f"{file}:{frame.f_code.co_name}")
        frame = frame.f_back
    stacks["\n".join(functions)] += 1


# In the notebook


def bill(
    worker: Any, queue: str, count: int = 1000, **options: Any
) -> tuple[dict[str, int], float]:
    """Send no-ops to a worker's queue, and read their results unless the options say
    `ignore_result`: what each party pays for one, in µs of processor time, and how many
    of them are done in a second."""
    _send_and_wait(worker, queue, 100, options)
    parties = {"Redis": [lab.redis.process.pid], **_parties([worker])}
    used, own, begin = _used(parties), time.process_time(), time.perf_counter()
    sent = _send_and_wait(worker, queue, count, options)
    took, read = time.perf_counter() - begin, time.process_time()
    pays = {"sender, sending": sent - own, "sender, reading": read - sent}
    pays |= _since(used)
    return {who: round(1e6 * pays[who] / count) for who in pays}, count / took


def loop_or_queue(length: float, queue: str, count: int = 10) -> tuple[float, float]:
    """Seconds for some naps of this length in a loop here, and sent to a queue."""
    begin = time.perf_counter()
    for _ in range(count):
        nap(length)
    turn = time.perf_counter()
    _read([nap.apply_async([length], queue=queue) for _ in range(count)])
    return turn - begin, time.perf_counter() - turn


def _send_and_wait(worker: Any, queue: str, count: int, options: Any) -> float:
    """Gives the processor time of this process when all were sent."""
    store.delete(LAST)
    marks = [*[None] * (count - 1), LAST]
    tickets = [noop.apply_async([mark], queue=queue, **options) for mark in marks]
    sent = time.process_time()
    if options.get("ignore_result"):
        done = "all no-ops were done"
        worker.wait_for(done, lambda: store.exists(LAST), timeout=MINUTE)
    else:
        _read(tickets)
    return sent


def commands(queue: str, count: int = 200) -> dict[str, int]:
    """How many commands Redis gets for one no-op that is sent, done and read."""
    before = _counted()
    _read([noop.apply_async(queue=queue) for _ in range(count)])
    now = _counted()
    calls = {name: (now[name] - before.get(name, 0)) / count for name in now}
    return {name: round(calls[name]) for name in sorted(calls) if calls[name] > 0.5}


def in_turns(ways: dict[str, dict[str, Any]], turns: int = 4, count: int = 300) -> Any:
    """What some workers do of a full queue: a table with a row for each way.

    Each way has a `queue`, the `workers` that read it, and `options` for `apply_async`.
    While it has its turn, the workers of the others are stopped. The rate is the median
    of all turns, no-ops a second; µs of processor time are the least of all turns, the
    one that other work has disturbed least.
    """
    for way in ways.values():
        for worker in way["workers"]:
            worker.ready()
        _drain(way, 50)
    found: dict[str, list[Any]] = {name: [] for name in ways}
    try:
        for _ in range(turns):
            for name, way in ways.items():
                found[name].append(_drain(way, count))
    finally:
        for way in ways.values():
            _signal(way["workers"], signal.SIGCONT)
    rows = {
        name: {key: min(each[key] for each in of_way) for key in of_way[0]}
        | {"no-ops a second": statistics.median(t["no-ops a second"] for t in of_way)}
        for name, of_way in found.items()
    }
    columns = next(iter(rows.values()))
    return {key: {name: round(rows[name][key]) for name in rows} for key in columns}


def _drain(way: dict[str, Any], count: int) -> dict[str, float]:
    """Fill the queue while its workers are stopped, and let them empty it."""
    workers, options = way["workers"], way.get("options", {})
    options = {"queue": way["queue"], **options}
    _signal(workers, signal.SIGSTOP)
    store.delete(FIRST, LAST)
    held = store.hlen("unacked")  # of workers that were killed before
    for mark in (FIRST, *[None] * (count - 2), LAST):
        noop.apply_async([mark], **options)
    used = _used(_parties(workers))
    _signal(workers, signal.SIGCONT)
    done = "all no-ops were done"
    workers[0].wait_for(done, lambda: store.exists(FIRST, LAST) == 2, timeout=MINUTE)
    workers[0].wait_for(done, lambda: store.hlen("unacked") <= held, timeout=MINUTE)
    took = float(store.get(LAST)) - float(store.get(FIRST))
    spent = {f"{who}, µs": 1e6 * each / count for who, each in _since(used).items()}
    _signal(workers, signal.SIGSTOP)
    return {"no-ops a second": count / took, **spent}


def _signal(workers: Sequence[Any], number: int) -> None:
    for worker in workers:
        worker.signal(number)


def profile(worker: Any, queue: str, count: int = 1500) -> Counter[str]:
    """How often each stack of functions was at work in a worker with the pool solo,
    while it emptied a queue of no-ops: looked at once a millisecond."""
    note_stacks.apply_async([0.001], queue=queue).get(timeout=MINUTE)
    worker.signal(signal.SIGSTOP)
    tickets = [noop.apply_async(queue=queue) for _ in range(count)]
    worker.signal(signal.SIGCONT)
    _read(tickets)
    return Counter(noted.apply_async(queue=queue).get(timeout=MINUTE))


def shares(notes: Counter[str], parts: dict[str, tuple[str, ...]]) -> dict[str, int]:
    """Per cent of the notes that belong to each part: the first of which a place is in
    the stack. Whatever belongs to none is "the rest"."""
    found = dict.fromkeys([*parts, "the rest"], 0)
    for stack, times in notes.items():
        of = (name for name in parts if any(place in stack for place in parts[name]))
        found[next(of, "the rest")] += times
    return {name: round(100 * times / notes.total()) for name, times in found.items()}


def _read(tickets: Sequence[Any]) -> None:
    """Read all, with the shortest of pauses."""
    ResultSet(tickets).get(timeout=MINUTE, interval=0.01)


def _parties(workers: Sequence[Any]) -> dict[str, list[int]]:
    mains = [psutil.Process(worker.pid) for worker in workers]
    children = [child.pid for main in mains for child in main.children(recursive=True)]
    return {"worker, main": [main.pid for main in mains], "worker, pool": children}


def _used(parties: dict[str, list[int]]) -> dict[str, tuple[list[int], float]]:
    """The processes of each party, and the processor time that they have used."""
    return {who: (pids, _seconds(pids)) for who, pids in parties.items()}


def _since(used: dict[str, tuple[list[int], float]]) -> dict[str, float]:
    """The processor time that each party has used since then, in seconds."""
    return {who: _seconds(pids) - then for who, (pids, then) in used.items()}


def _seconds(pids: list[int]) -> float:
    return sum(used_seconds(psutil.Process(pid)) for pid in pids)


def _counted() -> dict[str, int]:
    stats = store.info("commandstats").items()
    return {name.removeprefix("cmdstat_"): each["calls"] for name, each in stats}


# Who waits for whom


def rush(title: str, worker: Any, helper: Any, *, queue: str, left: int) -> Any:
    """Send one long call and five short ones. When the worker runs the long one, and so
    many messages are left in Redis, the helper comes to read the queue, too. Gives what
    `lab.watch` has seen."""
    urls = [url("friends", 2), *[url("photos", 0.2)] * 5]

    def runs() -> bool:
        return lab.fb.witness().in_flight == 1 and store.llen(queue) == left

    with lab.watch(title, second="friends") as seen:
        sent = ResultSet([fetch_url.apply_async([each], queue=queue) for each in urls])
        worker.wait_for(f"it ran one and left {left} in Redis", runs, timeout=MINUTE)
        told = {"destination": [helper.node], "reply": True, "timeout": 5}
        app.control.add_consumer(queue, **told)
        try:
            sent.get(timeout=MINUTE)
        finally:
            app.control.cancel_consumer(queue, **told)
    return seen


def ran(seen: Any, worker: Any) -> int:
    """How many of these calls the worker ran."""
    return sum(task.attempts[-1].worker == worker.node for task in seen.tasks)


def url(edge: str, latency: float) -> str:
    return f"{lab.fb.url}/v1/ada/{edge}?limit=1&latency={latency}"


def last_photo(seen: Any) -> float:
    """Seconds from the start until the last of the short calls was done."""
    ends = [t.attempts[-1].finished for t in seen.tasks if t.label == "photos"]
    return max(ends) - seen.started
