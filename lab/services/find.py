"""Services that run already: those that the environment names, the course's own containers, and their workers.

Nothing is started here, and a server that is not the course's own sees as little of us as possible.
"""

import math
import os
import re
from dataclasses import dataclass, field

import redis
from celery import Celery

from ..basics.deadline import deadline
from ..basics.errors import LabError
from ..basics.places import LOOPBACK
from . import named_redis
from .facebook import FakeFacebook
from .redis_database import open_client
from .worker import COURSE_PROCESSES, LAB_NODE

# The Redis of docker-compose.yml knows this user, who may do nothing but ping. A Redis that lets it in is the
# course's beyond doubt, and asking any other one changes nothing there.
MARK = "celery-course"
LET_IN_SECONDS = 2
WORKERS = "_kombu.binding.celery.pidbox"  # the set in which Celery notes the workers that listen for questions
COURSE = {"tasks.fetch_url", "tasks.send_activation_email"}  # a worker that knows these is one of the course's
QUESTIONS_SECONDS = 10  # for all questions that are asked of workers in one go
PRIVATE = "private to this notebook"


@dataclass(frozen=True)
class Found:
    """Services that run already, and where each comes from. None: the notebook needs one of its own."""

    redis_url: str | None = field(default=None, repr=False)  # it may hold a password
    fb: FakeFacebook | None = None
    redis_origin: str = PRIVATE
    fb_origin: str = PRIVATE


NOTHING = Found()


def named() -> Found | None:
    """The services that REDIS_URL and FAKE_FB_URL name. Raises `LabError` where one of them can't be used."""
    redis_url, fb_url = os.environ.get("REDIS_URL"), os.environ.get("FAKE_FB_URL")
    if not redis_url and not fb_url:
        return None
    if redis_url:
        named_redis.check_address(redis_url)
    return Found(
        redis_url or None,
        _named_facebook(fb_url) if fb_url else None,
        "named by REDIS_URL" if redis_url else PRIVATE,
        "named by FAKE_FB_URL" if fb_url else PRIVATE,
    )


def compose() -> Found | None:
    """The services of docker-compose.yml on their published ports, if they and no others run there."""
    redis_url = f"redis://{LOOPBACK}:{os.environ.get('REDIS_PORT', 6379)}/0"
    fb_url = f"http://{LOOPBACK}:{os.environ.get('FAKE_FB_PORT', 8000)}"
    try:
        if not _lets_in(redis_url):
            return None
        FakeFacebook(fb_url, timeout=1).identity()
    except LabError:
        return None
    return Found(redis_url, FakeFacebook(fb_url), "from docker compose", "from docker compose")


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


def _lets_in(redis_url: str) -> bool:
    """Whether the Redis there knows the course's user. Any other one sees a login that it refuses, and no more."""
    named_redis.check_address(redis_url)
    with open_client(redis_url, username=MARK, password=MARK, protocol=2, driver_info=None) as marked:
        try:
            with deadline(LET_IN_SECONDS, str):
                return marked.ping()
        except LabError:
            raise
        except Exception:  # what is no Redis may answer anything
            return False


def running_workers(redis_url: str) -> str | None:
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
    with deadline(QUESTIONS_SECONDS, lambda: late), named_redis.refusals(redis_url), app as asking:
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
    if processes < COURSE_PROCESSES:
        raise LabError(
            f"The worker that runs has {processes} processes, and the course counts on {COURSE_PROCESSES}. "
            f"Stop it and the lab starts one, or start it with: celery -A tasks worker --concurrency {COURSE_PROCESSES}"
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
