"""`lab.storm`: bad weather for workers and their Redis, kills at random, from a seed.

The storm decides what is killed and when, and starts again what it killed, as a supervisor (systemd, Kubernetes)
would. The task and the outbox are those of `shop.py`.
"""

import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psutil
import redis
from kombu.exceptions import OperationalError

from ..basics.errors import LabError
from ..basics.interrupts import interrupts_later
from ..basics.waiting import wait_until
from ..services.open_lab import Lab, current
from ..services.worker import Worker
from ..services.worker_options import settings_arguments, worker_options
from . import orders
from .plan import REDIS, WORKER, Kill, forecast
from .selling import Eye, sell

TICK_SECONDS = 0.05  # between two looks of the supervisor
CLOSER_LOOK_SECONDS = 1  # between two looks at whether a worker still takes messages
END_SECONDS = 60  # for what starts last: a Redis that comes back, a worker that starts
STUCK_SECONDS = 6  # in which a worker that is up takes nothing, although messages wait
# So that what a dead worker had taken is back after 3 seconds instead of an hour, and is looked for twice a second.
VISIBILITY_SECONDS = {"visibility_timeout": 3, "unacked_restore_interval": 0.5, "unacked_restore_throttle": 1}


@dataclass
class Slot:
    """A place that a worker has. When it dies, the next one takes it."""

    worker: Worker
    since: float  # when that one was started
    ups: list[tuple[float, float | None]] = field(default_factory=list)  # from its start to its end


class Storm:
    """Workers, and a thread that kills them and Redis by plan, while a block runs, and longer if the block ends before
    the plan does.

    seed:       of the plan: the same seed, the same kills
    seconds:    that the plan lasts (default 20)
    workers:    how many (default 2)
    processes:  of each worker (default 3)
    appendonly: whether Redis keeps its append-only file, without which a kill empties it (default True)

    Times in what it has recorded are seconds since the Unix epoch. At the end of the block the workers are killed,
    and Redis is up. Raises `LabError` where the Redis is not the notebook's own.
    """

    def __init__(
        self, *, seed: int, seconds: float = 20, workers: int = 2, processes: int = 3, appendonly: bool = True
    ) -> None:
        if seconds <= 0 or workers < 1:
            raise LabError("A storm has at least one worker, and lasts some seconds.")
        self._lab: Lab = current()
        if self._lab.redis is None:
            raise LabError("A storm kills Redis, so it takes the notebook's own: lab.start(private=True).")
        self._redis = self._lab.redis
        self._seconds = seconds
        self.plan = forecast(seed, seconds, workers)
        self.killed: list[tuple[float, Kill]] = []
        self.stuck: list[tuple[float, int]] = []  # workers that took nothing more, and were started again
        self.eye = Eye(self._redis.url)
        self.most_tries = 8
        self.redis_down: list[tuple[float, float]] = []
        self.nodes: dict[str, int] = {}  # which worker (from 0) had this node name
        self.calm = self.began = 0.0  # when the last of the kills was over
        self._options = worker_options(processes, "prefork", None, "shop,lab.chaos.runs")
        self._appendonly = appendonly
        self._count = workers
        self._over = threading.Event()
        self._failure: Exception | None = None
        self._redis_since = 0.0
        self._idle_since = 0.0
        self._looked = 0.0

    def __enter__(self) -> "Storm":
        from tasks import app

        from .runs import forget

        with suppress(redis.RedisError, OperationalError):
            if app.control.ping(timeout=0.5):
                raise LabError(
                    "A worker runs already, and would take the storm's orders: stop it first, with its kill()."
                )
        server = self._redis
        server.stop()
        server.start(appendonly=self._appendonly)
        with self._client() as client:
            client.flushall()
        forget()
        self._lab.fb.forget_charges()
        with self._lab.keeper.attempt():
            self.slots = [self._new_slot(number) for number in range(self._count)]
            for slot in self.slots:
                slot.worker.ready()
        self.began = self._redis_since = time.time()
        self._thread = threading.Thread(target=self._rage, name="lab-storm", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        late = f"The storm is not over after {self._seconds + END_SECONDS:g} s."
        try:
            if not failure:  # every kill of the plan takes place
                wait_until(self._is_through, self._seconds + END_SECONDS, lambda: late, pause=TICK_SECONDS)
        finally:  # an interrupt, too, ends it
            with interrupts_later():
                self._end()
        if self._failure:
            raise self._failure

    def _is_through(self) -> bool:
        return bool(self.calm) or not self._thread.is_alive()

    def _end(self) -> None:
        """Stop raging, and leave no worker, and a Redis that is up."""
        self._over.set()
        self._thread.join(END_SECONDS)
        for slot in self.slots:
            slot.worker.kill()
            slot.ups.append((slot.since, time.time()))
        self._redis.start()

    def sell(
        self, ids: Sequence[str], *, every: float = 0.05, deadline: float = 15, relays: int = 2, timeout: float = 90
    ) -> None:
        """Send an order of one cent every so many seconds, through the outbox of `shop.py`, until all are done.

        deadline: of the outbox, in seconds
        relays:   that send again what is due
        timeout:  seconds after the last order; then a `TimeoutError`, and what is unfinished stays in the outbox
        """
        outbox = self.eye.open(deadline, self.most_tries)
        sell(outbox, ids, every=every, relays=relays, timeout=timeout, failed=lambda: bool(self._failure))

    def account(self) -> dict[str, int]:
        """What came of the orders, counted in the shop's own database; `at the bank`: charges that it has taken."""
        counts = orders.count(self.most_tries)
        return {
            "kills": len(self.killed),
            "stuck": len(self.stuck),
            "orders": counts.orders,
            "runs": counts.runs,
            "too many": counts.runs - counts.run_orders,
            "refused": sum(not taken for _, _, taken in self.eye.tries),
            "lost on the way": len(self.eye.lost),
            "sent again": len(self.eye.again),
            "needless": len(self.eye.needless),
            "for a person": counts.given_up,
            "charged": counts.charged,
            "at the bank": len(self._lab.fb.charges()),
            "lost": counts.uncharged,
        }

    # The thread

    def _rage(self) -> None:
        try:
            for kill in self.plan:
                while time.time() < self.began + kill.at:
                    if self._over.is_set():
                        return
                    self._supervise()
                self._kill(kill)
            while not self._over.is_set():
                self.calm = self.calm or time.time()
                self._supervise()
        except Exception as error:  # told by the thread that waits for this one
            self._failure = error

    def _kill(self, kill: Kill) -> None:
        slot = self.slots[kill.worker]
        if kill.what == REDIS:
            self.killed.append((time.time(), kill))
            self._redis.kill()
            down = time.time()
            while time.time() < down + kill.down:
                self._supervise()
            self._redis.start()
            self._redis_since = self._idle_since = time.time()
            self.redis_down.append((down, self._redis_since))
        elif kill.what == WORKER:
            self.killed.append((time.time(), kill))
            slot.worker.kill()
        else:
            pid = self._some_child(slot.worker)
            self.killed.append((time.time(), kill))
            with suppress(psutil.NoSuchProcess):
                psutil.Process(pid).send_signal(signal.SIGKILL)

    def _some_child(self, worker: Worker) -> int:
        """A process of its pool; the worker itself if it has none within some seconds."""
        deadline = time.time() + 5
        while time.time() < deadline and worker.returncode is None:
            with suppress(psutil.NoSuchProcess):
                if children := psutil.Process(worker.pid).children():
                    return min(child.pid for child in children)
            self._supervise()
        return worker.pid

    def _supervise(self) -> None:
        """Start again what has ended, and what is up and takes nothing."""
        look_closer = time.time() > self._looked + CLOSER_LOOK_SECONDS
        for number, slot in enumerate(self.slots):
            if look_closer and slot.worker.returncode is None and self._is_stuck(slot):
                self.stuck.append((time.time(), number))
                slot.worker.kill()
            if slot.worker.returncode is not None:
                slot.ups.append((slot.since, time.time()))
                self.slots[number] = self._new_slot(number, slot.ups)
        self._looked = time.time() if look_closer else self._looked
        time.sleep(TICK_SECONDS)

    def _is_stuck(self, slot: Slot) -> bool:
        now = time.time()
        try:
            with self._client() as client:
                waiting = client.llen("celery")
        except redis.RedisError:
            waiting = 0
        if not waiting:
            self._idle_since = now
        since = max(self._idle_since, self._redis_since, slot.since, orders.last_run(slot.worker.node))
        return now - since > STUCK_SECONDS

    def _new_slot(self, number: int, ups: list[Any] | None = None) -> Slot:
        settings = settings_arguments({"broker_transport_options": VISIBILITY_SECONDS})
        worker = Worker(self._lab.keeper, self._options, label="storm", grace=False, settings=settings)
        self.nodes[worker.node] = number
        return Slot(worker, time.time(), ups or [])

    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(self._redis.url, socket_timeout=2, socket_connect_timeout=2)
