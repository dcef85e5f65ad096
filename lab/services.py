"""`lab.start()`: find the services that a notebook needs, or start private ones.

In this order: the services that REDIS_URL and FAKE_FB_URL name; the course's own Compose services, if they
run; private ones on free loopback ports, which end with the kernel.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import redis

from fake_fb.files import raise_file_limit

from . import database
from .errors import LabError
from .facebook import FakeFacebook
from .live import is_notebook
from .mailserver import MailServer
from .processes import Keeper, Process
from .redis_server import LOOPBACK, RedisServer
from .worker import LAB_NODE, ROOT, Worker, queue_names, settings_arguments, unused, worker_options

PROCESSES = 5  # of the course's worker: one for each of a timeline's edges
FILES = 4_096  # that a process may open: notebook 10 makes a thousand calls at once, each with a connection to Redis
PRIVATE = "private to this notebook"
# The Redis of docker-compose.yml knows this user, who may do nothing but ping. A Redis that lets it in is the
# course's beyond doubt, and asking any other one changes nothing there.
MARK = "celery-course"
# Celery reads these before celeryconfig.py; set for another project, they would send our tasks there.
FOREIGN = (
    "CELERY_BROKER_URL",
    "CELERY_BROKER_READ_URL",
    "CELERY_BROKER_WRITE_URL",
    "CELERY_RESULT_BACKEND",
    "CELERY_LOADER",
)


@dataclass
class Lab:
    """The services of this kernel, and the lines that tell of them."""

    redis_url: str
    fb: FakeFacebook
    keeper: Keeper
    private: bool  # whether the Redis is this notebook's own
    account: list[str] = field(default_factory=list)
    others: list[Process] = field(default_factory=list)  # beside Redis, those that the lab can't do without
    redis: RedisServer | None = None  # the notebook's own; None where it uses somebody else's
    may_kill: bool = False  # whether the notebook kills that Redis and starts it again

    @property
    def processes(self) -> list[Process]:
        """Those that the lab can't do without, as they are now: a Redis that was started again is another process."""
        return [*([self.redis.process] if self.redis else []), *self.others]


_lab: Lab | None = None


def current() -> Lab:
    """The open lab. Raises `LabError` if there is none."""
    if _lab is None:
        raise LabError("The lab is not open yet: run lab.start() first.")
    return _lab


def start(*, worker: bool = True, private: bool = False) -> None:
    """Open what a notebook needs (Redis, the mock Facebook, a worker) and say what runs where.

    With `worker=False` there is no worker yet, and nobody else's either: on a Redis that others use too, the
    notebook takes an empty database of its own, so that no worker but its own can take its messages.
    With `private=True` it never uses a Redis of others: `lab.redis` is its own, which it may kill.
    Called again, it changes nothing. Raises `LabError` in one sentence if something is in the way.
    """
    global _lab
    if _lab is None:
        environment, modules = dict(os.environ), set(sys.modules)
        raise_file_limit((FILES,))
        keeper = Keeper()
        try:
            _lab = _open(keeper, worker, private)
        except BaseException:  # an interrupt too: leave no process, no file and no variable behind
            keeper.close()
            os.environ.clear()
            os.environ.update(environment)
            for name in {"tasks", "celeryconfig"} - modules:
                sys.modules.pop(name, None)  # imported by the lab, with an address that may be wrong
            raise
    for process in _lab.processes:
        if process.returncode is not None:
            mended = _lab.may_kill and process is _lab.redis.process
            again = "Run lab.redis.start()" if mended else "Restart the kernel"
            raise LabError(f"{process.name} has ended. {again} to have it back. {process.tail()}")
    print("\n".join(_lab.account))


def worker(
    concurrency: int = PROCESSES,
    pool: str = "prefork",
    queues: str | list[str] | None = None,
    *,
    include: str | None = None,
    settings: Mapping[str, Any] | None = None,
    wait: bool = True,
    **more: int | float | str | bool,
) -> Worker:
    """Start a further worker and print the command that would do the same in a terminal.

    `include` names a module with further tasks; `more` are other options of `celery worker`, such as
    `prefetch_multiplier=4` for `--prefetch-multiplier 4`. `settings` are Celery's, for this worker alone, by their
    names in celeryconfig.py. With `wait=False` it returns before the worker is
    ready; `.ready()` then waits. As a context manager the worker stops at the end of the block.
    """
    lab = current()
    options = worker_options(concurrency, pool, queues, include, **more)
    label = (queue_names(queues) or ["worker"])[0]
    arguments = settings_arguments(settings or {})
    started = Worker(lab.keeper, options, label=label, grace=not lab.private, settings=arguments)
    print(started.command)
    return started.ready() if wait else started


def redis_server(*, appendonly: bool = False) -> RedisServer:
    """Start a further Redis, which may be stopped and killed, and print the command that would do the same."""
    started = RedisServer(current().keeper, appendonly=appendonly, name=unused("redis-server"))
    print(started.command)
    return started


def _open(keeper: Keeper, worker: bool, private: bool) -> Lab:
    for name in FOREIGN:
        os.environ.pop(name, None)
    lab = _private(keeper) if private else _named(keeper) or _compose(keeper) or _private(keeper)
    lab.may_kill = private
    if not worker and not lab.private:
        _take_database(lab)
    _exempt_from_proxy(lab)
    os.environ["REDIS_URL"], os.environ["FAKE_FB_URL"] = lab.redis_url, lab.fb.url
    os.environ["MAIL_SERVER"] = MailServer(lab.fb).address
    os.environ["SHOP_DB"] = str(keeper.folder / "shop.db")
    _forbid_early_import(lab)
    if worker:
        _serve_with_worker(lab)
    else:
        _import_meanwhile()
        lab.account.append("worker    none yet: this notebook starts its own")
    return lab


def _take_database(lab: Lab) -> None:
    """From here on, use an empty database of the Redis that is shared, emptied again when the notebook is gone."""
    try:
        lab.redis_url = database.claim(lab.redis_url)
    except LookupError as error:
        raise LabError(
            f"This notebook needs an empty database of the Redis at {_place(lab.redis_url)}, and {error}. "
            "Unset REDIS_URL, or name another Redis: without it the lab starts its own."
        ) from None
    environment = {**os.environ, "REDIS_URL": lab.redis_url}
    lab.keeper.request("at_end", argv=[sys.executable, "-I", database.__file__], env=environment)
    lab.account[0] += f", database {urlsplit(lab.redis_url).path[1:]} for this notebook"


def _forbid_early_import(lab: Lab) -> None:
    early = sys.modules.get("tasks")
    if early and (early.app.conf.broker_url, early.MAIL_SERVER) != (lab.redis_url, os.environ["MAIL_SERVER"]):
        raise LabError(
            "tasks was imported before lab.start(), so it looks for Redis and the mail server elsewhere. "
            "Restart the kernel and run the cells from the top."
        )


# The three ways to come by a Redis and a mock Facebook


def _named(keeper: Keeper) -> Lab | None:
    """The services named in the environment; what is not named is started."""
    redis_url, fb_url = os.environ.get("REDIS_URL"), os.environ.get("FAKE_FB_URL")
    if not redis_url and not fb_url:
        return None
    account, others, server = [], [], None
    private = not redis_url
    if redis_url:
        account.append(f"Redis     {_version(redis_url)}, {_place(redis_url)}, named by REDIS_URL")
    else:
        server = RedisServer(keeper)
        redis_url = server.url
        account.append(f"Redis     {_version(redis_url)}, {_place(redis_url)}, {PRIVATE}")
    if fb_url:
        fb, origin = _named_facebook(fb_url), "named by FAKE_FB_URL"
    else:
        fb, process = _start_facebook(keeper)
        others.append(process)
        origin = PRIVATE
    account.append(_facebook_line(fb, origin))
    return Lab(redis_url, fb, keeper, private, account, others=others, redis=server)


def _compose(keeper: Keeper) -> Lab | None:
    """The services of docker-compose.yml on their published ports, if they and no others run there."""
    redis_url = f"redis://{LOOPBACK}:{os.environ.get('REDIS_PORT', 6379)}/0"
    fb_url = f"http://{LOOPBACK}:{os.environ.get('FAKE_FB_PORT', 8000)}"
    try:
        FakeFacebook(fb_url, timeout=1).identity()
        with redis.Redis.from_url(redis_url, username=MARK, password=MARK, socket_timeout=2) as marked:
            marked.ping()
    except (LabError, redis.RedisError, ValueError):
        return None
    fb = FakeFacebook(fb_url)
    account = [
        f"Redis     {_version(redis_url)}, {_place(redis_url)}, from docker compose",
        _facebook_line(fb, "from docker compose"),
    ]
    return Lab(redis_url, fb, keeper, False, account)


def _private(keeper: Keeper) -> Lab:
    server = RedisServer(keeper)
    fb, facebook = _start_facebook(keeper)
    account = [
        f"Redis     {_version(server.url)}, {_place(server.url)}, {PRIVATE}",
        _facebook_line(fb, PRIVATE),
    ]
    return Lab(server.url, fb, keeper, True, account, others=[facebook], redis=server)


def _serve_with_worker(lab: Lab) -> None:
    """Use the worker that already serves a shared Redis, or start one."""
    if not lab.private and (found := _found_worker()):
        lab.account.append(f"worker    {found}")
        return
    started = Worker(lab.keeper, worker_options(PROCESSES, "prefork", None, None), grace=not lab.private)
    lab.others.append(started)
    _import_meanwhile()
    started.ready()
    lab.account.append(f"worker    {started.command}")


def _found_worker() -> str | None:
    from tasks import app, fetch_url

    answers = app.control.inspect(timeout=1).registered() or {}
    # The worker of another notebook's lab ends with that notebook, so nobody else should count on it.
    registered = {node: names for node, names in answers.items() if LAB_NODE not in node}
    ours = [node for node, names in registered.items() if fetch_url.name in names]
    if registered and not ours:
        raise LabError(
            "The Redis that REDIS_URL names serves the workers of another project. "
            "Unset REDIS_URL, or name another Redis or database."
        )
    if not ours:
        return None
    stats = app.control.inspect(ours, timeout=5).stats() or {}
    processes = sum(stats.get(node, {}).get("pool", {}).get("max-concurrency", 0) for node in ours)
    if processes < PROCESSES:
        raise LabError(
            f"The worker that runs has {processes} processes, and the course counts on {PROCESSES}. "
            f"Stop it and the lab starts one, or start it with: celery -A tasks worker --concurrency {PROCESSES}"
        )
    return f"{len(ours)} already running, {processes} processes"


def _import_meanwhile() -> None:
    """What the next cells need, imported while the worker boots in its own process."""
    import tasks  # noqa: F401

    if is_notebook():
        import matplotlib.figure  # noqa: F401


# Servers


def _start_facebook(keeper: Keeper) -> tuple[FakeFacebook, Process]:
    argv = [sys.executable, "-m", "fake_fb", "--port", "0", "--mail-port", "0"]
    process = Process(keeper, "fake_fb", argv, env=dict(os.environ), cwd=ROOT)

    def address() -> str | None:
        line = process.log().partition("\n")
        return line[0].rpartition(" ")[2] if line[1] and line[0].startswith("fake_fb listening on ") else None

    fb = FakeFacebook(process.wait_for("it listened", address, timeout=20))
    fb.process = process
    return fb, process


# Words


def _version(redis_url: str) -> str:
    """Name and version of the server. Raises `LabError` where none answers."""
    try:
        with redis.Redis.from_url(redis_url, socket_timeout=5, socket_connect_timeout=5) as client:
            info: dict[str, Any] = client.info("server")
    except (redis.RedisError, ValueError) as error:
        raise LabError(
            f"No Redis answers at {_place(redis_url)} ({type(error).__name__}). Start it, "
            "or correct or unset REDIS_URL (redis://HOST:PORT/DATABASE): without it the lab starts its own."
        ) from None
    name = "Valkey" if "valkey_version" in info else "Redis"
    return f"{name} {info.get('valkey_version') or info['redis_version']}"


def _place(url: str) -> str:
    """Host and port, without what else a URL may hold: a password must not be printed."""
    try:
        parts = urlsplit(url)
        return f"{parts.hostname}:{parts.port or 6379}" if parts.hostname else "the address it names"
    except ValueError:
        return "the address it names"


def _facebook_line(fb: FakeFacebook, origin: str) -> str:
    return f"Facebook  a mock at {fb.url}, {fb.identity()['latency']:g} s a call, {origin}"


def _named_facebook(url: str) -> FakeFacebook:
    """The mock Facebook at the URL that FAKE_FB_URL names. Raises `LabError` if there is none."""
    try:
        if not url.startswith(("http://", "https://")):
            raise LabError("It looks like http://127.0.0.1:8000.")
        fb = FakeFacebook(url)
        fb.identity()
    except LabError as error:
        raise LabError(f"FAKE_FB_URL names no mock Facebook: correct or unset it. {error}") from None
    return fb


def _exempt_from_proxy(lab: Lab) -> None:
    """Calls to the lab's own server never go through a proxy, here and in the processes started from here."""
    hosts = {LOOPBACK, "localhost", urlsplit(lab.fb.url).hostname or LOOPBACK}
    for name in ("NO_PROXY", "no_proxy"):
        known = [host for host in os.environ.get(name, "").split(",") if host]
        os.environ[name] = ",".join([*known, *sorted(hosts - set(known))])
