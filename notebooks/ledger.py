"""The ledger of notebook 10b, Refused, full, replaced: who began to pack which order,
and who finished.

It is in the lab's own Redis, which none of the notebook's accidents touches. So it is a
witness: what a Redis forgets, loses or refuses, the ledger still knows.

A worker runs the function at the top. The notebook uses those below.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count, pairwise
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import redis
from celery import Celery
from kombu import Connection

if TYPE_CHECKING:
    from lab.draw.picture import Picture
    from lab.services.worker import Worker

BEGUN, PACKED = "ledger:begun", "ledger:packed"  # lists in the lab's own Redis


@cache
def open_ledger() -> redis.Redis:
    return redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)


# In a worker


def pack_order(order: str, seconds: float) -> str:
    """Pack an order, which takes so many seconds."""
    ledger = open_ledger()
    ledger.rpush(BEGUN, f"{order} {time.time()}")
    time.sleep(seconds)
    ledger.rpush(PACKED, f"{order} {time.time()}")
    return f"{order} is packed"


# In the notebook: what the ledger says


def begun(start: str = "") -> list[str]:
    """The orders that a worker began to pack, once for each beginning. `start`: only
    those whose names start so."""
    return [order for order, _ in _entries(BEGUN, start)]


def packed(start: str = "") -> list[str]:
    """The orders that a worker packed to the end, once for each time."""
    return [order for order, _ in _entries(PACKED, start)]


def _entries(key: str, start: str) -> list[tuple[str, float]]:
    lines = [str(line).split() for line in open_ledger().lrange(key, 0, -1)]
    return [(order, float(when)) for order, when in lines if order.startswith(start)]


# Sites and workers of a Redis that is not the lab's own


def on(url: str) -> dict[str, Any]:
    """Celery's settings for messages and results at this address."""
    settings: dict[str, Any] = {"broker_url": url, "result_backend": url}
    if url.startswith("sentinel:"):
        name = {"master_name": "photos"}
        settings["broker_transport_options"] = name
        settings["result_backend_transport_options"] = name
    return settings


def new_site(url: str) -> Celery:
    """A site's application: it has no connection yet."""
    site = Celery("site", set_as_current=False)
    site.conf.update(on(url))
    return site


def start_worker(url: str, concurrency: int = 1, **settings: Any) -> "Worker":
    """A worker at this address, when its log says that it is ready."""
    import lab

    options = {**on(url), **settings}
    worker = lab.worker(concurrency, include="orders", settings=options, wait=False)
    worker.wait_for("it was ready", lambda: " ready." in worker.log(), timeout=60)
    return worker


def attempt(site: Celery, order: str, seconds: float = 0.1) -> tuple[str, float]:
    """Send one order under its own name; print and return what came of it ("sent", or
    the name of the error), and the seconds that it took."""
    begin = time.perf_counter()
    try:
        send(site, order, seconds)
        outcome = "sent"
    except Exception as error:  # whatever Celery raises: this is what we look at
        outcome = type(error).__name__
    took = time.perf_counter() - begin
    print(f"{outcome} after {took:.3f} s")
    return outcome, took


def send(site: Celery, order: str, seconds: float = 0.1, *, late: bool = False) -> Any:
    """Send one order under its own name, to `pack` or to `pack_late`."""
    task = "orders.pack_late" if late else "orders.pack"
    return site.send_task(task, [order, seconds], task_id=order)


def send_many(site: Celery, name: str, many: int, *, seconds: float = 0.3) -> list[str]:
    """Send so many orders, called name-0, name-1 and so on; their names."""
    orders = [f"{name}-{number}" for number in range(many)]
    for order in orders:
        send(site, order, seconds)
    return orders


def fill(client: redis.Redis, megabytes: int) -> None:
    """Write so many megabytes of a cache, or as much as Redis takes."""
    for size in (10_000, 1):  # where no large piece fits, small ones may
        try:
            for number in range(megabytes * 1_000_000 // 10_000):
                client.set(f"cache:{size}:{number}", "x" * size)
        except redis.exceptions.OutOfMemoryError:
            continue


def be_replica_for(server: Any, seconds: float) -> None:
    """Make it a replica, of a primary that does not answer, for so many seconds."""
    with client_of(server) as client:
        client.replicaof("127.0.0.1", 1)
        try:
            time.sleep(seconds)
        finally:
            client.replicaof("NO", "ONE")


@contextmanager
def kept_full(server: Any) -> Iterator[None]:
    """A cache that goes on writing: what becomes free is taken at once."""
    client, is_full, over = client_of(server), Event(), Event()

    def write() -> None:
        for number in count():
            if over.is_set():
                return
            try:
                size = 1 if is_full.is_set() else 10_000
                client.set(f"cache:more:{number}", "x" * size)
            except redis.exceptions.OutOfMemoryError:
                is_full.set()

    thread = Thread(target=write, daemon=True)
    thread.start()
    try:
        if not is_full.wait(30):
            raise RuntimeError("this Redis has no limit: it is not full after 30 s")
        yield
    finally:
        over.set()
        thread.join()


def cut_connections(client: redis.Redis) -> None:
    """Let Redis close all connections: those that ask, and those that listen."""
    client.client_kill_filter(_type="normal", skipme=True)
    client.client_kill_filter(_type="pubsub")


def is_empty(client: redis.Redis) -> bool:
    """Whether no message waits, and none is unacknowledged."""
    return not client.llen("celery") and not client.hlen("unacked")


def is_over(server: Any, worker: "Worker", order: str) -> bool:
    """Whether the order was begun twice, and the worker runs nothing any more."""
    if len(begun(order)) < 2:
        return False
    with Connection(server.url) as fresh:  # the connections of the pool were cut
        site = new_site(server.url)
        active = site.control.inspect([worker.node], connection=fresh).active()
    return active == {worker.node: []}


# A primary that is killed while a site sends


def with_standby() -> Any:
    """Two further Redis servers: a primary, and a replica that has all its data."""
    import lab

    primary, standby = lab.redis_server(), lab.redis_server()
    with client_of(primary) as client, client_of(standby) as copy:
        client.config_set("repl-diskless-sync-delay", 0)  # by default it waits 5 s
        copy.replicaof("127.0.0.1", primary.port)
        primary.process.wait_for(
            "the replica had its data",
            lambda: copy.info("replication")["master_link_status"] == "up",
            timeout=30,
        )
    return primary, standby


def client_of(server: Any) -> redis.Redis:
    return redis.Redis.from_url(server.url, decode_responses=True)


class Story:
    """Who sent what, and what became of it, around the moment of an accident.

    Times are in seconds since the first order.
    """

    def __init__(self, begin: float) -> None:
        self.begin = begin
        self.accident = 0.0
        self.sends: list[tuple[str, float, float, str]] = []  # order, when, took, what
        self.runs: list[tuple[str, float]] = []  # order, when it was packed

    @property
    def accepted(self) -> list[str]:
        return [order for order, _, _, what in self.sends if what == "sent"]

    @property
    def refused(self) -> list[str]:
        return [order for order, _, _, what in self.sends if what != "sent"]

    @property
    def lost(self) -> list[str]:
        """Accepted, and never packed."""
        done = {order for order, _ in self.runs}
        return [order for order in self.accepted if order not in done]

    @property
    def twice(self) -> list[str]:
        done = [order for order, _ in self.runs]
        return sorted({order for order in done if done.count(order) > 1})

    @property
    def site_back(self) -> float:
        """Seconds from the accident to the end of the first accepted order after the
        last refusal."""
        last = max(when for _, when, _, what in self.sends if what != "sent")
        return min(w + t for _, w, t, _ in self.sends if w > last) - self.accident

    @property
    def worker_back(self) -> float:
        """Seconds from the accident to the end of the longest pause without a packed
        order that follows it."""
        times = sorted(when for _, when in self.runs)
        pauses = [pause for pause in pairwise(times) if pause[1] > self.accident]
        return max(pauses, key=lambda pause: pause[1] - pause[0])[1] - self.accident


def send_during(
    site: Celery, accident: Callable[[], None], *, seconds: float, name: str
) -> Story:
    """Send an order every twentieth of a second; after a second, have the accident.

    Then wait until the ledger has all that was accepted, ten seconds at most.
    """
    story = Story(time.time())
    while (now := time.time() - story.begin) < seconds:
        if now > 1 and not story.accident:
            accident()
            story.accident = time.time() - story.begin
        order, when = f"{name}-{len(story.sends)}", time.time()
        what = without_result(site, order)
        took = time.time() - when
        story.sends.append((order, when - story.begin, took, what))
        time.sleep(0.05)
    end = time.time() + 10
    while time.time() < end and not set(story.accepted) <= set(packed(name)):
        time.sleep(0.1)
    story.runs = [(order, w - story.begin) for order, w in _entries(PACKED, name)]
    return story


def without_result(site: Celery, order: str) -> str:
    try:
        options = {"task_id": order, "ignore_result": True}
        site.send_task("orders.pack", [order, 0.01], **options)
    except Exception as error:
        return type(error).__name__
    return "sent"


def draw_story(story: Story, *, title: str) -> "Picture":
    """The site's calls and the worker's orders, over time."""
    from lab.draw.picture import finish, new_axes
    from lab.draw.style import FAILED, HATCH, INK, RUNNING, plain

    @plain
    def draw() -> "Picture":
        figure, axes = new_axes(1.9, title, "seconds")
        for _, when, took, what in story.sends:
            look = {"color": RUNNING} if what == "sent" else _refused(FAILED, HATCH)
            axes.broken_barh([(when, max(took, 0.02))], (1.1, 0.6), **look)
        runs = [(when, 0.02) for _, when in story.runs]
        axes.broken_barh(runs, (0.1, 0.6), color=RUNNING)
        axes.axvline(story.accident, color=INK, linewidth=1)
        words = " the primary is killed"
        axes.text(story.accident, 1.85, words, fontsize=9, color=INK)
        axes.set(yticks=[0.4, 1.4], yticklabels=["packed", "sent"], ylim=(0, 2.1))
        last = max(when for _, when, _, _ in story.sends)
        axes.set(xlim=(0, last + 0.2))
        said = "bars, dark: accepted or packed; hatched: refused"
        return finish(figure, f"{title}\n{said}")

    return draw()


def _refused(colour: str, hatch: str) -> dict[str, Any]:
    return {"facecolor": "white", "edgecolor": colour, "hatch": hatch}
