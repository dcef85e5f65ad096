"""What `lab.worker` was given, as options of `celery worker`: checked, and refused in one sentence."""

import json
import re
from collections.abc import Mapping
from typing import Any

from fake_fb.files import file_limit

from ..basics.errors import LabError

POOLS = ("prefork", "threads", "gevent", "solo")
MOST_PROCESSES = 100  # or threads, of one worker: a slip of the keyboard should not bring a laptop down
MOST_GREENLETS = 1000  # the same for gevent, whose greenlets are small
# Files that a worker has open for each task that it may run at once: the pipes to a process, or the connections to
# Redis and to the server that it asks. And those that it has beside. (Counted with psutil, on Linux.)
FILES_A_TASK = {"prefork": 6, "threads": 2, "gevent": 2, "solo": 2}
FILES_BESIDE = 30

# Settings that Celery documents and reads, and leaves out of the list by which its command line knows their types.
UNLISTED = {"result_backend_thread_safe": "bool"}


def worker_options(
    concurrency: int,
    pool: str,
    queues: str | list[str] | None,
    include: str | None,
    **more: int | float | str | bool,
) -> list[str]:
    """The command-line options for a worker. Raises `LabError` for a value out of range."""
    if pool not in POOLS:
        raise LabError(f"pool is one of {', '.join(POOLS)}, not {pool!r}.")
    most = MOST_GREENLETS if pool == "gevent" else MOST_PROCESSES
    if not isinstance(concurrency, int) or isinstance(concurrency, bool) or not 1 <= concurrency <= most:
        raise LabError(f"concurrency is a whole number from 1 to {most}, not {concurrency!r}.")
    needed, allowed = FILES_A_TASK[pool] * concurrency + FILES_BESIDE, file_limit()
    if needed > allowed:
        raise LabError(
            f"A worker that runs {concurrency} tasks at once has about {needed} files open, and may have {allowed:g} "
            "here. Allow more before Jupyter is started: ulimit -n 4096."
        )
    names = queue_names(queues)
    options = ["--concurrency", str(concurrency)]
    if pool != "prefork":
        options += ["--pool", pool]
    if names:
        options += ["--queues", ",".join(names)]
    if include:
        options += ["--include", include]
    for name, value in more.items():
        options += [_option(name)] if value is True else [_option(name), str(value)]
    # At its start a worker waits a second for others to greet it. The lab's have nothing to tell each other.
    return [*options, "--without-mingle"]


def settings_arguments(settings: Mapping[str, Any]) -> list[str]:
    """Celery's settings as its command line takes them, behind a `--`. Raises `LabError` for an unknown setting."""
    from celery.app.defaults import SETTING_KEYS

    if unknown := [name for name in settings if name not in SETTING_KEYS and name not in UNLISTED]:
        raise LabError(f"Celery has no setting {unknown[0]!r}: its documentation lists them under Configuration.")
    return [f"{name}={_cast(name, value)}" for name, value in settings.items()]


def _cast(name: str, value: Any) -> str:
    """The value as text, with its type where Celery's command line would not know it."""
    if isinstance(value, Mapping):
        return f"(dict){json.dumps(value)}"
    return f"({UNLISTED[name]}){value}" if name in UNLISTED else str(value)


def _option(name: str) -> str:
    """The command-line option, `--max-tasks-per-child` for max_tasks_per_child. `LabError` for an unknown one."""
    from celery.bin.worker import worker as command

    known = {option for parameter in command.params for option in parameter.opts}
    option = "--" + name.replace("_", "-")
    if option not in known or name == "hostname":  # the lab finds its workers by the names it gives them
        raise LabError(f"celery worker takes no {option} here. celery worker --help lists its options.")
    return option


def queue_names(queues: str | list[str] | None) -> list[str]:
    """The names in `queues`, none for None. Raises `LabError` for anything that Celery could not split."""
    names = [queues] if isinstance(queues, str) else queues or []
    if not all(isinstance(name, str) and re.fullmatch(r"[\w.-]+", name) for name in names):
        raise LabError(f"queues is a name like slow, or a list of names, not {queues!r}.")
    return list(names)
