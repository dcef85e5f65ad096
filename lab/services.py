"""`lab.start()`: find the services that a notebook needs, or start private ones.

In this order: the services that REDIS_URL and FAKE_FB_URL name; the course's own Compose services, if they
run; private ones on free loopback ports, which end with the kernel.
"""

import math
import os
import re
import sys
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from celery import Celery

from fake_fb.files import raise_file_limit

from . import database, environment, named_redis
from .deadline import deadline
from .environment import child_environment
from .errors import LabError
from .facebook import FakeFacebook
from .kernel import check_kernel, import_matplotlib, is_notebook
from .mailserver import MailServer
from .processes import Keeper, Process, interrupts_later
from .redis_server import LOOPBACK, RedisServer
from .worker import LAB_NODE, ROOT, Worker, folded, queue_names, settings_arguments, unused, worker_options

PROCESSES = 5  # of the course's worker: one for each of a timeline's edges
FILES = 4_096  # that a process may open: notebook 10 makes a thousand calls at once, each with a connection to Redis
PRIVATE = "private to this notebook"
# The Redis of docker-compose.yml knows this user, who may do nothing but ping. A Redis that lets it in is the
# course's beyond doubt, and asking any other one changes nothing there.
MARK = "celery-course"
MARKED = 2  # seconds in which it lets us in
WORKERS = "_kombu.binding.celery.pidbox"  # the set in which Celery notes the workers that listen for questions
COURSE = {"tasks.fetch_url", "tasks.send_activation_email"}  # a worker that knows these is one of the course's
WITHIN = 10  # seconds for all questions that are asked of workers in one go
LISTENS = 20  # seconds until the mock Facebook must listen; on an idle machine it takes a third of one


@dataclass
class Lab:
    """The services of this kernel, and the lines that tell of them."""

    redis_url: str = field(repr=False)  # it may hold a password
    fb: FakeFacebook
    keeper: Keeper
    private: bool  # whether the Redis is this notebook's own
    account: list[str] = field(default_factory=list)
    others: list[Process] = field(default_factory=list)  # beside Redis, those that the lab can't do without
    redis: RedisServer | None = None  # the notebook's own; None where it uses somebody else's
    shared: bool = False  # whether the notebook uses a database, and the worker there, that others use, too
    may_kill: bool = False  # whether the notebook kills that Redis and starts it again

    @property
    def processes(self) -> list[Process]:
        """Those that the lab can't do without, as they are now: a Redis that was started again is another process."""
        return [*([self.redis.process] if self.redis else []), *self.others]


_lab: Lab | None = None
_starting = threading.Lock()


def current() -> Lab:
    """The open lab. Raises `LabError` if there is none."""
    if _lab is None:
        raise LabError("The lab is not open yet: run lab.start() first.")
    return _lab


def start(*, worker: bool = True, private: bool = False) -> None:
    """Open what a notebook needs (Redis, the mock Facebook, a worker) and say what runs where.

    On a Redis that others use too, the notebook takes an empty database of its own: its workers take nobody else's
    messages, and nobody else's take its. Only where a worker of the course's serves that Redis already, and nobody
    else's does, it uses that. With `worker=False` it never does, and starts none yet.
    With `private=True` it never uses a Redis of others: `lab.redis` is its own, which it may kill.
    Called again, it changes nothing. Raises `LabError` in one sentence if something is in the way.
    """
    with _starting:
        _start(worker, private)


def _start(worker: bool, private: bool) -> None:
    global _lab
    if _lab is None:
        check_kernel()
        variables, modules = dict(os.environ), set(sys.modules)
        raise_file_limit((FILES,))
        keeper = None
        try:
            with interrupts_later():
                keeper = Keeper()
            _lab = _open(keeper, worker, private)
        except BaseException:  # an interrupt too: leave no process, no file, no key and no variable behind
            with interrupts_later():
                if keeper:
                    keeper.close()
                os.environ.clear()
                os.environ.update(variables)
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
    if lab.shared and not queues:
        raise LabError(
            "The queue celery of this database has a worker, and others may write into it, too. "
            "Name a queue, as in lab.worker(queues='mine')."
        )
    options = worker_options(concurrency, pool, queues, include, **more)
    label = (queue_names(queues) or ["worker"])[0]
    arguments = settings_arguments(settings or {})
    with lab.keeper.attempt():
        started = Worker(lab.keeper, options, label=label, grace=not lab.private, settings=arguments)
        print(started)
        return started.ready() if wait else started


def redis_server(*, appendonly: bool = False) -> RedisServer:
    """Start a further Redis, which may be stopped and killed, and print the command that would do the same."""
    started = RedisServer(current().keeper, appendonly=appendonly, name=unused("redis-server"))
    print(started.command)
    return started


def _open(keeper: Keeper, worker: bool, private: bool) -> Lab:
    environment.forget(environment.OF_CELERY)
    lab = _private(keeper) if private else _named(keeper) or _compose(keeper) or _private(keeper)
    lab.may_kill = private
    found = _found_worker(lab.redis_url) if worker and not lab.private else None
    if not lab.private and not found:
        _take_database(lab)
    _exempt_from_proxy(lab)
    os.environ["REDIS_URL"], os.environ["FAKE_FB_URL"] = lab.redis_url, lab.fb.url
    os.environ["MAIL_SERVER"] = MailServer(lab.fb).address
    os.environ["SHOP_DB"] = str(keeper.folder / "shop.db")
    _forbid_early_import(lab)
    import celeryconfig  # noqa: F401 (or Celery would look for it in the folder from which Jupyter was started)

    lab.shared = bool(found)
    if found:
        lab.account.append(f"worker    {found}")
    elif worker:
        _start_worker(lab)
    else:
        _import_meanwhile()
        lab.account.append("worker    none yet: this notebook starts its own")
    return lab


def _take_database(lab: Lab) -> None:
    """From here on, use an empty database of the Redis that is shared, emptied again when the notebook is gone."""
    shared, owner = lab.redis_url, uuid.uuid4().hex
    # Asked for before it is taken, so that an interrupt in between leaves no mark.
    empty_it = child_environment(REDIS_URL=shared, CLAIM=owner)
    lab.keeper.request("at_end", argv=[sys.executable, "-P", database.__file__], env=empty_it)
    try:
        with named_redis.asking(shared):
            lab.redis_url = database.claim(shared, owner)
    except database.NoEmptyDatabase as error:
        raise LabError(
            f"This notebook needs an empty database of the Redis at {named_redis.place(shared)}, and {error}. "
            "Unset REDIS_URL, or name another Redis: without it the lab starts its own."
        ) from None
    named_redis.try_commands(lab.redis_url)
    with named_redis.asking(lab.redis_url):
        database.keep(lab.redis_url)
    lab.account[0] += f", database {urlsplit(lab.redis_url).path[1:]} for this notebook"


def _forbid_early_import(lab: Lab) -> None:
    for name in ("tasks", "celeryconfig", "shop"):
        place = getattr(sys.modules.get(name), "__file__", None)
        if place and Path(place).resolve() != ROOT / f"{name}.py":
            raise LabError(
                f"A module {name} of another project is imported. Restart the kernel: lab.start() comes first."
            )
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
        named_redis.check_address(redis_url)
    else:
        server = RedisServer(keeper)
        redis_url = server.url
    account.append(_redis_line(redis_url, PRIVATE if private else "named by REDIS_URL"))
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
        if not _lets_in(redis_url):
            return None
        FakeFacebook(fb_url, timeout=1).identity()
    except LabError:
        return None
    fb = FakeFacebook(fb_url)
    account = [_redis_line(redis_url, "from docker compose"), _facebook_line(fb, "from docker compose")]
    return Lab(redis_url, fb, keeper, False, account)


def _lets_in(redis_url: str) -> bool:
    """Whether the Redis there knows the course's user. Any other one sees a login that it refuses, and no more."""
    named_redis.check_address(redis_url)
    with database.open_client(redis_url, username=MARK, password=MARK, protocol=2, driver_info=None) as marked:
        try:
            with deadline(MARKED, str):
                return marked.ping()
        except LabError:
            raise
        except Exception:  # what is no Redis may answer anything
            return False


def _private(keeper: Keeper) -> Lab:
    server = RedisServer(keeper)
    fb, facebook = _start_facebook(keeper)
    account = [_redis_line(server.url, PRIVATE), _facebook_line(fb, PRIVATE)]
    return Lab(server.url, fb, keeper, True, account, others=[facebook], redis=server)


def _start_worker(lab: Lab) -> None:
    started = Worker(lab.keeper, worker_options(PROCESSES, "prefork", None, None), grace=not lab.private)
    lab.others.append(started)
    _import_meanwhile()
    started.ready()
    lab.account.append(folded(started.command, "worker    "))


def _found_worker(redis_url: str) -> str | None:
    """The course's workers that serve this database, in words. None where there are none, or where somebody else's
    are, too, who would take our messages. Raises `LabError` where they have too few processes."""
    with named_redis.asking(redis_url) as client:
        # A worker that runs is noted there, and listens by a pattern. Where nobody listens nobody is asked, because a
        # question writes keys, if only for a second.
        if not client.exists(WORKERS) or not client.pubsub_numpat():
            return None
        consumers = _consumers(client)
    late = f"Workers of the Redis at {named_redis.place(redis_url)} do not answer. Stop them, or unset REDIS_URL."
    app = Celery(broker=redis_url, set_as_current=False)
    with deadline(WITHIN, lambda: late), named_redis.refusals(redis_url), app as asking:
        try:
            answers = asking.control.inspect(timeout=1).registered() or {}
            # The worker of another notebook's lab ends with that notebook, so nobody else should count on it.
            registered = {node: names for node, names in answers.items() if LAB_NODE not in node}
            if len(registered) < consumers or not all(set(names) >= COURSE for names in registered.values()):
                return None
            queues = asking.control.inspect(list(registered), timeout=2).active_queues() or {}
            if not all("celery" in {queue["name"] for queue in queues.get(node, [])} for node in registered):
                return None
            stats = asking.control.inspect(list(registered), timeout=2).stats() or {}
        finally:
            _forget_answers(asking)
    processes = sum(each.get("pool", {}).get("max-concurrency", 0) for each in stats.values())
    if processes < PROCESSES:
        raise LabError(
            f"The worker that runs has {processes} processes, and the course counts on {PROCESSES}. "
            f"Stop it and the lab starts one, or start it with: celery -A tasks worker --concurrency {PROCESSES}"
        )
    return f"{len(registered)} already running, {processes} processes"


def _consumers(client: redis.Redis) -> float:
    """How many clients take messages from queues in the database of this one; a worker that is busy is one, too."""
    number = client.connection_pool.connection_kwargs.get("db", 0)
    try:
        return sum(each["cmd"] == "brpop" for each in client.client_list() if int(each["db"]) == number)
    except redis.ResponseError:  # it may not be asked
        return math.inf


def _forget_answers(app: Celery) -> None:
    """Remove the queue in which the workers' answers came, and the notes that there is one."""
    queue = app.control.mailbox.reply_queue
    with app.connection_for_write() as connection, connection.channel() as channel:
        queue(channel).delete()
        if not channel.client.exists(channel.keyprefix_queue % queue.exchange.name):  # nobody else waits for answers
            channel.client.zrem(channel.keyprefix_binding_deadlines, queue.exchange.name)


def _import_meanwhile() -> None:
    """What the next cells need, imported while the worker boots in its own process."""
    import tasks  # noqa: F401

    if is_notebook():
        import_matplotlib()


# Servers


def _start_facebook(keeper: Keeper) -> tuple[FakeFacebook, Process]:
    argv = [sys.executable, "-m", "fake_fb", "--port", "0", "--mail-port", "0"]
    argv += ["--ready-file", str(url_file := keeper.folder / "fake_fb.url")]
    process = Process(keeper, "fake_fb", argv, cwd=ROOT)
    process.wait_for("it listened", url_file.exists, timeout=LISTENS)
    fb = FakeFacebook(url_file.read_text(encoding="utf-8"))
    fb.process = process
    return fb, process


# Words


def _redis_line(redis_url: str, origin: str) -> str:
    return f"Redis     {named_redis.version(redis_url)}, {named_redis.place(redis_url)}, {origin}"


def _facebook_line(fb: FakeFacebook, origin: str) -> str:
    return f"Facebook  a mock at {fb.url}, {fb.identity()['latency']:g} s a call, {origin}"


def _named_facebook(url: str) -> FakeFacebook:
    """The mock Facebook at the URL that FAKE_FB_URL names. Raises `LabError` if there is none."""
    try:
        if not re.fullmatch(r"https?://[\w.-]+(:\d+)?/?", url):  # and is not shown: a password may be in it
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
        if known == ["*"]:  # no proxy at all
            continue
        os.environ[name] = ",".join([*known, *sorted(hosts - set(known))])
