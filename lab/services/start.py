"""`lab.start()`: find the services that a notebook needs, or start private ones.

In this order: the services that REDIS_URL and FAKE_FB_URL name; the course's own Compose services, if they
run; private ones on free loopback ports, which end with the kernel.

All of it happens in the thread of the cell, from `start()` down: the keeper first, which will end whatever is started;
then Redis and the mock Facebook, found or started; then the variables that tell `tasks.py` of them; the worker last.
What leaves a start early undoes all of it.
"""

import atexit
import os
import sys
import threading
import uuid
from pathlib import Path
from urllib.parse import urlsplit

from fake_fb.files import raise_file_limit

from ..basics import environment
from ..basics.environment import child_environment
from ..basics.errors import LabError
from ..basics.interrupts import interrupts_later, undone_on_failure
from ..basics.kernel import check_kernel, import_matplotlib, is_notebook
from ..basics.places import LOOPBACK, ROOT
from . import find, named_redis, redis_database
from .facebook import start_facebook
from .find import Found
from .keeper import Keeper
from .mail import MailControl
from .open_lab import Lab, current, is_open, keep_open
from .redis_server import RedisServer
from .worker import COURSE_PROCESSES, Worker, folded
from .worker_options import worker_options

OPEN_FILES = 4_096  # of a process: notebook 12 makes a thousand calls at once, each with a connection to Redis

_starting = threading.Lock()


def start(*, worker: bool = True, private: bool = False) -> None:
    """Open what a notebook needs (Redis, the mock Facebook, a worker) and say what runs where.

    worker:  whether to start a worker, or use one that serves that Redis already (default True)
    private: whether the Redis must be the notebook's own, as `lab.redis`, which it may kill (default False)

    On a Redis that others use too, the notebook takes an empty database of its own: its workers take nobody else's
    messages, and nobody else's take its. Only where a worker of the course's serves that Redis already, and nobody
    else's does, it uses that; with `worker=False` it never does.
    Called again, it changes nothing. Raises `LabError` in one sentence if something is in the way.
    """
    with _starting:
        _start(worker, private)


def _start(worker: bool, private: bool) -> None:
    if not is_open():
        check_kernel()
        variables, modules = dict(os.environ), set(sys.modules)
        raise_file_limit((OPEN_FILES,))
        keeper: Keeper | None = None

        def undo() -> None:
            """Leave no process, no file, no key and no variable behind."""
            if keeper:
                keeper.close()
            environment.restore(variables)
            for name in {"tasks", "celeryconfig"} - modules:
                sys.modules.pop(name, None)  # imported by the lab, with an address that may be wrong

        with undone_on_failure(undo):
            with interrupts_later():
                keeper = Keeper()
            keep_open(_open(keeper, worker, private))
        atexit.register(_let_go_of_results)  # runs before the keeper's end, which was registered first
    lab = current()
    for process in lab.processes:
        if process.returncode is not None:
            can_start = lab.redis and lab.kills_redis and process is lab.redis.process
            again = "Run lab.redis.start()" if can_start else "Restart the kernel"
            raise LabError(f"{process.name} has ended. {again} to have it back. {process.tail()}")
    print("\n".join(lab.lines))


def _open(keeper: Keeper, worker: bool, private: bool) -> Lab:
    environment.forget(environment.OF_CELERY)
    lab = _gather(keeper, find.NOTHING if private else find.named() or find.compose() or find.NOTHING)
    lab.kills_redis = private
    found = find.running_workers(lab.redis_url) if worker and not lab.is_private else None
    if not lab.is_private and not found:
        _take_database(lab)
    _exempt_from_proxy(lab)
    os.environ["REDIS_URL"], os.environ["FAKE_FB_URL"] = lab.redis_url, lab.fb.url
    os.environ["MAIL_SERVER"] = MailControl(lab.fb).address
    os.environ["SHOP_DB"] = str(keeper.folder / "shop.db")
    os.environ["BANK_URL"] = f"{lab.fb.url}/v1/shop/charges?latency=0.1"
    _forbid_early_import(lab)
    import celeryconfig  # noqa: F401 (or Celery would look for it in the folder from which Jupyter was started)

    lab.shared = bool(found)
    if found:
        lab.lines.append(f"worker    {found}")
    elif worker:
        _start_worker(lab)
    else:
        _import_meanwhile()
        lab.lines.append("worker    none yet: this notebook starts its own")
    return lab


def _gather(keeper: Keeper, found: Found) -> Lab:
    """The services that were found; what was not is started."""
    server: RedisServer | None = None
    if not (redis_url := found.redis_url):
        server = RedisServer(keeper)
        redis_url = server.url
    redis_line = f"Redis     {named_redis.version(redis_url)}, {named_redis.place(redis_url)}, {found.redis_origin}"
    fb = found.fb or start_facebook(keeper)
    fb_line = f"Facebook  a mock at {fb.url}, {fb.identity()['latency']:g} s a call, {found.fb_origin}"
    return Lab(redis_url, fb, keeper, [redis_line, fb_line], others=[fb.process] if fb.process else [], redis=server)


def _take_database(lab: Lab) -> None:
    """From here on, use an empty database of the Redis that is shared, emptied again when the notebook is gone."""
    shared, owner = lab.redis_url, uuid.uuid4().hex
    # Asked for before it is taken, so that an interrupt in between leaves no mark.
    empty_it = child_environment(REDIS_URL=shared, CLAIM=owner)
    lab.keeper.request("at_end", argv=[sys.executable, "-P", redis_database.__file__], env=empty_it)
    try:
        with named_redis.asking(shared):
            lab.redis_url = redis_database.claim(shared, owner)
    except redis_database.NoEmptyDatabase as error:
        raise LabError(
            f"This notebook needs an empty database of the Redis at {named_redis.place(shared)}, and {error}. "
            "Unset REDIS_URL, or name another Redis: without it the lab starts its own."
        ) from None
    named_redis.try_commands(lab.redis_url)
    with named_redis.asking(lab.redis_url):
        redis_database.keep(lab.redis_url)
    lab.lines[0] += f", database {urlsplit(lab.redis_url).path[1:]} for this notebook"


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


def _start_worker(lab: Lab) -> None:
    started = Worker(lab.keeper, worker_options(COURSE_PROCESSES, "prefork", None, None), grace=not lab.is_private)
    lab.others.append(started)
    _import_meanwhile()
    started.ready()
    lab.lines.append(folded(started.command, "worker    "))


def _let_go_of_results() -> None:
    """Subscribe to no result any more, where the kernel ends.

    As Python ends, each `AsyncResult` that still waits would unsubscribe (its `__del__`), from a Redis that is gone by
    then: up to twenty seconds of tries, and a traceback.
    """
    if tasks := sys.modules.get("tasks"):
        tasks.app.backend.result_consumer.subscribed_to.clear()


def _import_meanwhile() -> None:
    """What the next cells need, imported while the worker boots in its own process."""
    import tasks  # noqa: F401

    if is_notebook():
        import_matplotlib()


def _exempt_from_proxy(lab: Lab) -> None:
    """Calls to the lab's own server never go through a proxy, here and in the processes started from here."""
    hosts = {LOOPBACK, "localhost", urlsplit(lab.fb.url).hostname or LOOPBACK}
    for name in ("NO_PROXY", "no_proxy"):
        known = [host for host in os.environ.get(name, "").split(",") if host]
        if known == ["*"]:  # no proxy at all
            continue
        os.environ[name] = ",".join([*known, *sorted(hosts - set(known))])
