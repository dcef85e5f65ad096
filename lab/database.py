"""A database of the notebook's own, on a Redis that others use too.

A Redis has numbered databases, 16 by default, with nothing in common but the server. A worker reads the
queues of one of them. In an empty one a notebook can use Celery's own names (the queue `celery`, and so on),
and no worker but its own takes its messages. When the notebook is gone, so is what it left there:
the keeper runs this file (`python database.py`, with the address in REDIS_URL), which imports nothing of the lab.
"""

import os
from urllib.parse import parse_qsl, urlencode, urlsplit

import redis

CLAIM = "celery-course:claim"  # the key that says: this database is taken
HIGHEST = 1000  # far beyond any configured number of databases: the server says where they end
TIMEOUT = 5  # seconds; all that is asked for is answered at once


def claim(url: str) -> str:
    """Take an empty database of the server at `url` and return its address.

    Database 0 is left alone, and so is the one that `url` names. Raises `LookupError` if none is empty.
    """
    for number in range(1, HIGHEST):
        address = _with_database(url, number)
        try:
            if number != _database_of(url) and _claimed(address):
                return address
        except redis.ResponseError:  # DB index is out of range; or a cluster, which has no databases
            break
    raise LookupError("it has no empty database")


def clean(url: str) -> None:
    """Remove what is in a database that `claim` took; without its mark, touch nothing."""
    with _client(url) as client:
        if client.exists(CLAIM):
            keys = [key for key in client.scan_iter(count=1000) if key != CLAIM.encode()]
            for begin in range(0, len(keys), 1000):
                client.delete(*keys[begin : begin + 1000])
            client.delete(CLAIM)


def _claimed(address: str) -> bool:
    """Whether the database was empty, and is now ours."""
    with _client(address) as client:
        if client.dbsize() or not client.set(CLAIM, os.getpid(), nx=True):
            return False
        if client.dbsize() == 1:
            return True
        client.delete(CLAIM)  # somebody else wrote here at the same moment
        return False


def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)


def _database_of(url: str) -> int:
    return redis.connection.parse_url(url).get("db", 0)


def _with_database(url: str, number: int) -> str:
    parts = urlsplit(url)
    query = urlencode([(name, value) for name, value in parse_qsl(parts.query) if name != "db"])
    return parts._replace(path=f"/{number}", query=query).geturl()


if __name__ == "__main__":
    clean(os.environ["REDIS_URL"])
