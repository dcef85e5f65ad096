"""The environments in which the course starts its processes: made from what these need.

Celery's command line reads dozens of variables (`BROKER_URL`, `CELERY_WORKER_<OPTION>`, …); Python, IPython and
matplotlib read their own. Set for another project, they would lead a worker to a foreign Redis, or take the asserts
out of a notebook. This file imports the standard library alone: JupyterLab's configuration runs it by its path.
"""

import os
import re
import site
from collections.abc import Mapping
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path

# All that a service of the lab may know of its surroundings. No locale is among them: without one, Python reads and
# writes UTF-8 everywhere; and no proxy, for services talk to this machine alone.
NEEDED = {
    "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TEMP", "TMP", "TZ",  # the system's
    "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH",  # some Pythons need them to start at all
    "SSL_CERT_FILE", "SSL_CERT_DIR",  # whom to trust, if REDIS_URL is rediss://
    "NO_PROXY", "no_proxy", "REDIS_URL", "FAKE_FB_URL", "MAIL_SERVER", "SHOP_DB", "BANK_URL",  # set by the lab
}  # fmt: skip

# What services import.
PACKAGES = ("celery", "kombu", "redis", "requests", "tornado", "aiosmtpd", "msgpack", "PIL", "gevent")

# With these, readers set up tools for their other work. What the course runs itself does without.
SETTINGS = re.compile(r"(I?PYTHON|MPL|MATPLOTLIB|CELERY_|KOMBU_).*")
OF_CELERY = re.compile(r"(CELERY_|KOMBU_).*")  # those that Celery reads inside a notebook, too


def child_environment(*folders: str | Path, **more: str) -> dict[str, str]:
    """The environment of a service: what it needs of this process's own, and `more`.

    It finds modules in `folders`, and packages where this Python found them.
    """
    environment = {name: value for name, value in os.environ.items() if name in NEEDED}
    path = os.pathsep.join(map(str, [*folders, *_package_folders()]))
    return environment | ({"PYTHONPATH": path} if path else {}) | more


@cache
def _package_folders() -> list[Path]:
    """The folders of installed packages that another Python would not find by itself: this one was told of them, by
    its PYTHONPATH, for example."""
    specs = [PathFinder.find_spec(name) for name in PACKAGES]  # those imported already may not know theirs
    folders = [Path(spec.origin).resolve().parents[1] for spec in specs if spec and spec.origin]
    found_anyway = {Path(folder).resolve() for folder in site.getsitepackages()}
    return list(dict.fromkeys(folder for folder in folders if folder not in found_anyway))


def forget(settings: re.Pattern[str]) -> None:
    """Take the variables whose names match out of this process, and so out of those that it starts."""
    for name in list(os.environ):
        if settings.fullmatch(name):
            del os.environ[name]


def restore(variables: Mapping[str, str]) -> None:
    """Give this process back the variables that it had, and take those away that it has got since."""
    for name in os.environ.keys() - variables.keys():
        del os.environ[name]
    os.environ.update(variables)
