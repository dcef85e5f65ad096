"""The Redis that REDIS_URL names: whether the lab can use it, or one sentence that says what is in the way.

What is printed of an address is its host and port, once it is known to have the right form: in any other form, a part
of a password may stand anywhere.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import redis
from kombu.exceptions import OperationalError

from ..basics.deadline import deadline
from ..basics.errors import LabError
from .redis_database import TIMEOUT_SECONDS, NoEmptyDatabase, open_client

FORM = re.compile(
    r"redis(?P<tls>s)?://([^/?#\[\]\s]*@)?([^/?#@:\[\]\s]+|\[[0-9a-fA-F:.]+\])(?P<port>:[0-9]{1,5})?(/[0-9]{0,4})?"
    r"(?(tls)\?(ssl_\w+=[^?#&\s]*&)*ssl_cert_reqs=(required|optional|none)(&ssl_\w+=[^?#&\s]*)*)"
)
KEY = "celery-course:try"  # a key and a channel for trying what Celery does
WHOLE_SECONDS = 2 * TIMEOUT_SECONDS  # for all that is asked of a server in one go
INSTEAD = "or unset it: without it the lab starts its own Redis."


def check_address(url: str) -> None:
    """Raise `LabError` where Celery and redis-py do not read the address alike, or can't read it at all."""
    if url.startswith(("unix:", "socket:", "redis+socket:")):
        raise LabError(f"REDIS_URL names a socket file. Name host and port, redis://HOST:PORT/DATABASE, {INSTEAD}")
    if url.startswith("rediss:") and not FORM.fullmatch(url):
        raise LabError(
            "REDIS_URL is rediss://, and Celery asks for one thing more behind it: rediss://HOST:PORT/DATABASE?"
            f"ssl_cert_reqs=required (or optional, or none). Correct it, {INSTEAD}"
        )
    if "?" in url and FORM.fullmatch(url.partition("?")[0]) and not FORM.fullmatch(url):
        raise LabError(
            "What stands behind the ? of REDIS_URL is read by redis-py, and not by Celery. Name a database as in "
            f"redis://HOST:PORT/3, {INSTEAD}"
        )
    if not (parts := FORM.fullmatch(url)) or not 0 < int((parts["port"] or ":1")[1:]) <= 65_535:
        raise LabError(
            "REDIS_URL is not of the form redis://HOST:PORT/DATABASE or redis://:PASSWORD@HOST:PORT/DATABASE (in a "
            f"password, / is written %2F, @ is %40 and % is %25). Correct it, {INSTEAD}"
        )


def place(url: str) -> str:
    """Host and port of an address that `check_address` has passed."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 6379}"


def version(url: str) -> str:
    """Name and version of the server. Raises `LabError` where it is none that Celery can use."""
    with asking(url) as client:
        info = client.info()
    where = f"The Redis at {place(url)}"
    if info.get("cluster_enabled"):
        raise LabError(f"{where} is part of a cluster, which Celery can't use. Name another in REDIS_URL, {INSTEAD}")
    if info.get("redis_mode") == "sentinel":
        raise LabError(f"{where} is a Sentinel, which holds no data. Name its primary in REDIS_URL, {INSTEAD}")
    if info.get("role") == "slave":
        raise LabError(f"{where} is a replica, which takes no writes. Name its primary in REDIS_URL, {INSTEAD}")
    name = "Valkey" if "valkey_version" in info else "Redis"
    return f"{name} {info.get('valkey_version') or info['redis_version']}"


def try_commands(url: str) -> None:
    """Do once what Celery does with a Redis, in a database that is the notebook's own. Raises `LabError` where the
    server does not allow it; nothing is left behind."""
    with asking(url) as client, client.pubsub() as channel:
        try:
            client.delete(KEY)  # first what tidies up
            client.get(KEY)
            client.type(KEY)
            list(client.scan_iter(KEY))
            client.lpush(KEY, "x")
            client.brpop([KEY], timeout=1)
            client.hset(KEY, "x", "x")
            client.hvals(KEY)
            client.hdel(KEY, "x")
            client.zadd(KEY, {"x": 1})
            client.zrevrangebyscore(KEY, 2, 0)
            client.zrem(KEY, "x")
            client.sadd(KEY, "x")
            client.smembers(KEY)
            client.srem(KEY, "x")
            client.mget(KEY, KEY)
            with client.pipeline(transaction=True) as steps:
                steps.set(KEY, "x", ex=60)
                steps.expire(KEY, 60)
                steps.type(KEY)
                steps.llen(f"{KEY}-none")
                steps.execute()
            with client.lock(f"{KEY}-lock", timeout=60):  # a script, as all that releases a lock
                pass
            channel.subscribe(KEY)
            channel.psubscribe(f"{KEY}*")
            for _ in range(2):
                channel.get_message(timeout=TIMEOUT_SECONDS)
            client.publish(KEY, "x")
        finally:
            client.delete(KEY, f"{KEY}-lock")


@contextmanager
def asking(url: str) -> Iterator[redis.Redis]:
    """A client, for questions that are answered at once. Raises `LabError` in one sentence if something goes wrong."""
    where = f"The Redis at {place(url)}"
    late = f"{where} does not answer. Wait until it does, name another one in REDIS_URL, {INSTEAD}"
    with deadline(WHOLE_SECONDS, lambda: late), refusals(url), open_client(url) as client:
        yield client


@contextmanager
def refusals(url: str) -> Iterator[None]:
    """Turn what a Redis answers, or that it does not, into a `LabError` that says what to do."""
    try:
        yield
    except (LabError, NoEmptyDatabase):
        raise
    except Exception as error:  # of a server that is no Redis, a client may stumble over anything
        gone = type(error) is redis.ConnectionError or isinstance(error, OperationalError)
        if gone and ("SSL" in str(error) or "certificate" in str(error)):
            raise LabError(
                f"The Redis at {place(url)} and this Python do not agree on a secure connection. Name its authority's "
                f"certificate in SSL_CERT_FILE, correct REDIS_URL, {INSTEAD}"
            ) from None
        if gone and "max number of clients" not in str(error):
            raise LabError(f"No Redis answers at {place(url)}. Start it, or correct REDIS_URL, {INSTEAD}") from None
        raise LabError(f"The Redis at {place(url)} {_what_is_wrong(error)} in REDIS_URL, {INSTEAD}") from None


def _what_is_wrong(error: Exception) -> str:
    """What the server does, and what to do: the words between its name and "in REDIS_URL"."""
    if isinstance(error, redis.exceptions.NoPermissionError):
        command = re.search(r"'([\w|-]+)' command", str(error))
        what = f"run {command[1].upper()}" if command else "use " + ("channels" if "channel" in str(error) else "keys")
        return f"does not let this user {what}, as Celery must. Name one with the rights +@all ~* &*"
    if isinstance(error, redis.AuthenticationError):
        return "refuses the login. Correct user name and password"
    kinds = {
        redis.exceptions.OutOfMemoryError: "is full, and takes no more writes (maxmemory). Make room, name another one",
        redis.ReadOnlyError: "is a replica, which takes no writes. Name its primary",
        redis.BusyLoadingError: "still loads its data. Wait until it has, name another one",
        redis.TimeoutError: "does not answer. Wait until it does, name another one",
        redis.ConnectionError: "has as many clients as it takes. Close some, name another one",
        redis.exceptions.ClusterError: "is part of a cluster, which Celery can't use. Name another one",
        redis.exceptions.MovedError: "is part of a cluster, which Celery can't use. Name another one",
    }
    for kind, words in kinds.items():
        if isinstance(error, kind):
            return words
    if not isinstance(error, redis.ResponseError):
        return "is no Redis, or answers as none does. Name another one"
    if "DB index" in str(error):
        return "has no database of that number. Name one that it has"
    if unknown := re.search(r"unknown command [`']([\w|-]+)['`]", str(error), re.IGNORECASE):
        return f"does not know {unknown[1].upper()}, which Celery needs. Name another one"
    code = re.match(r"[A-Z]{3,}\b", str(error))  # MISCONF, NOREPLICAS: the rest of an answer may hold anything
    return f"answers with an error ({code[0] if code else type(error).__name__}). Name another one"
