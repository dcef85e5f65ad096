"""A numbered database of the notebook's own, on a Redis that others use too.

A Redis has numbered databases, 16 by default, with nothing in common but the server. A worker reads the
queues of one of them. In an empty one a notebook can use Celery's own names (the queue `celery`, and so on),
and no worker but its own takes its messages. When the notebook is gone, so is what it left there:
the keeper runs this file by its path (`python redis_database.py`, with the address in REDIS_URL and the notebook's mark
in CLAIM), so it imports nothing of the lab.
"""

import os
import time
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

CLAIM = "celery-course:claim"  # the key that says whose this database is
HIGHEST_NUMBER = 1000  # far beyond any configured number of databases: the server says where they end
TRIAL_SECONDS = 30  # a claim lasts so long by itself: a server may let us write and not delete
PATIENCE_SECONDS = 20  # in which the last clean-up tries again where the server does not answer
TIMEOUT_SECONDS = 5  # all that is asked for is answered at once


class NoEmptyDatabase(LookupError):
    """A server has none for us."""


def claim(url: str, owner: str) -> str:
    """Take an empty database of the server at `url` for `owner`, and return its address.

    Database 0 is left alone, and so is the one that `url` names, and each in which somebody is at work. The claim
    lasts `TRIAL_SECONDS`, until it is kept. Raises `NoEmptyDatabase`, and `redis.RedisError` if the server refuses.
    """
    taken = {redis.connection.parse_url(url).get("db", 0), *_in_use(url)}
    for number, client in _databases(url):
        if number not in taken and _claimed(client, owner):
            return urlsplit(url)._replace(path=f"/{number}").geturl()
    raise NoEmptyDatabase("it has no empty database")


def keep(url: str) -> None:
    """Let the claim of this database last."""
    with open_client(url) as client:
        client.persist(CLAIM)


def clean(url: str, owner: str) -> None:
    """Remove what is in the databases that `claim` took for `owner`, and touch nothing anywhere else."""
    for _, client in _databases(url):
        if _owner(client) == owner:
            keys = [key for key in client.scan_iter(count=1000) if key != CLAIM.encode()]
            for first in range(0, len(keys), 1000):
                client.delete(*keys[first : first + 1000])
            client.delete(CLAIM)


def open_client(url: str, **options: Any) -> redis.Redis:
    """A client that tries once: who asks a server of others says what is wrong, and does not insist."""
    once = Retry(NoBackoff(), 0)
    return redis.Redis.from_url(
        url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS, retry=once, **options
    )


def _databases(url: str) -> Iterator[tuple[int, redis.Redis]]:
    """All databases but the first, by number, each with a client for it."""
    for number in range(1, HIGHEST_NUMBER):
        with open_client(urlsplit(url)._replace(path=f"/{number}").geturl()) as client:
            try:
                client.ping()
            except redis.ResponseError as error:
                if "index" in str(error):  # "DB index is out of range"
                    return
                raise
            yield number, client


def _in_use(url: str) -> set[int]:
    """The databases with a client in them, a worker that waits for messages, for example, though they be empty."""
    with open_client(url) as client:
        try:
            return {int(each["db"]) for each in client.client_list()}
        except redis.ResponseError:  # it may not be asked for, or does not exist by this name
            return set()


def _claimed(client: redis.Redis, owner: str) -> bool:
    """Whether the database was empty, and is now the owner's."""
    if client.dbsize() or not client.set(CLAIM, owner, nx=True, ex=TRIAL_SECONDS):
        return False
    if client.dbsize() == 1:
        return True
    client.delete(CLAIM)  # somebody else wrote here at the same moment
    return False


def _owner(client: redis.Redis) -> str | None:
    """Whose database this is; None where the key is not there, or is something else."""
    if client.type(CLAIM) != b"string":
        return None
    return cast(bytes, client.get(CLAIM)).decode(errors="replace")


def clean_in_the_end(url: str, owner: str) -> None:
    """The same, by somebody who has time: a server that is slow or away may be there again soon."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return clean(url, owner)
        except (redis.ConnectionError, redis.TimeoutError):
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


if __name__ == "__main__":
    clean_in_the_end(os.environ["REDIS_URL"], os.environ["CLAIM"])
