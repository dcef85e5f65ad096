"""A site that sells, with relays, and an eye on what these send again.

The outbox is that of `shop.py`; this room only drives and counts.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..basics.errors import LabError
from ..record.look import xray
from . import orders

if TYPE_CHECKING:
    from shop import Outbox

LOOK_SECONDS = 0.5  # between two rounds of a relay


class Eye:
    """Notes what an outbox publishes. Times are seconds since the Unix epoch.

    url: of the Redis, to look where messages are
    """

    def __init__(self, url: str) -> None:
        self.tries: list[tuple[float, str, bool]] = []  # when, which order, and whether Redis took it
        self.again: list[tuple[float, str]] = []  # what was sent again
        self.needless: list[tuple[float, str]] = []  # of these: Redis still had it
        self.lost: set[str] = set()  # messages that Redis had accepted, and then had nowhere
        self._url = url
        self._accepted: set[str] = set()
        self._tried: set[str] = set()
        self._lock = threading.Lock()

    def open(self, deadline: float, most_tries: int) -> "Outbox":
        """An outbox of the shop that is watched."""
        from shop import Outbox

        eye = self

        class Watched(Outbox):
            def claim(self, id: str | None = None) -> list[tuple[str, str, str]]:
                rows = super().claim(id)
                eye.look([id for id, *_ in rows])
                return rows

            def publish(self, id: str, task: str, args: str) -> None:
                taken = False
                try:
                    super().publish(id, task, args)
                    taken = True
                finally:
                    eye.note(id, taken)

        return Watched(deadline, most_tries)

    def note(self, id: str, taken: bool) -> None:
        with self._lock:
            self.tries.append((time.time(), id, taken))
            if id in self._tried:
                self.again.append((time.time(), id))
            self._tried.add(id)
            if taken:
                self._accepted.add(id)

    def look(self, ids: list[str]) -> None:
        """These are about to be sent: which of them had Redis accepted before, and where are they now?"""
        before = set(ids) & self._accepted
        try:
            missing = before and self._nowhere(before)
            if missing:
                time.sleep(0.1)  # a message that was between two places is now at one of them
                missing = self._nowhere(missing)
        except LabError:  # Redis is away
            return
        with self._lock:
            self.lost |= missing
            self.needless += [(time.time(), id) for id in before - missing]

    def _nowhere(self, ids: set[str]) -> set[str]:
        seen = xray(self._url)
        somewhere = {id for messages in [*seen.queues.values(), seen.unacked] for id in messages}
        return ids - somewhere - orders.done()


def sell(
    outbox: "Outbox",
    ids: Sequence[str],
    *,
    every: float = 0.05,
    relays: int = 2,
    timeout: float = 60,
    failed: Callable[[], bool] = lambda: False,
) -> None:
    """Send an order of one cent every so many seconds, while relays run beside, until all are done.

    Raises `TimeoutError` so many seconds after the last order; what is unfinished then stays in the outbox.
    """
    from shop import charge

    over = threading.Event()

    def relay() -> None:
        while not over.wait(LOOK_SECONDS):
            outbox.relay()

    threads = [threading.Thread(target=relay, name=f"relay-{number}", daemon=True) for number in range(relays)]
    for thread in threads:
        thread.start()
    try:
        due = time.monotonic()
        for id in ids:
            time.sleep(max(0, due - time.monotonic()))
            outbox.send(charge, id, id, 1)
            due += every
        end = time.monotonic() + timeout
        while open_orders := outbox.unfinished():
            if time.monotonic() > end or failed():
                raise TimeoutError(f"{len(open_orders)} orders are not done")
            time.sleep(LOOK_SECONDS / 5)
    finally:
        over.set()
        for thread in threads:
            thread.join(10)
