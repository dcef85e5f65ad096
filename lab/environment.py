"""The environments in which the course starts its processes: made from what these need.

Celery's command line reads dozens of variables (`BROKER_URL`, `CELERY_WORKER_<OPTION>`, …); Python, IPython and
matplotlib read their own. Set for another project, they would lead a worker to a foreign Redis, or take the asserts
out of a notebook. This file imports the standard library alone: JupyterLab's configuration runs it by its path.
"""

import os
import re
from importlib.util import find_spec
from pathlib import Path

# All that a service of the lab may know of its surroundings. No locale is among them: without one, Python reads and
# writes UTF-8 everywhere. No proxy is: services talk to this machine alone.
NEEDED = {
    "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TEMP", "TMP", "TZ",  # the system's
    "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH",  # some Pythons need them to start at all
    "NO_PROXY", "no_proxy", "REDIS_URL", "FAKE_FB_URL", "MAIL_SERVER", "SHOP_DB",  # set by the lab
}  # fmt: skip

# With these, readers set up tools for their other work. What the course runs itself does without.
SETTINGS = re.compile(r"(I?PYTHON|MPL|MATPLOTLIB|CELERY_|KOMBU_).*")
OF_CELERY = re.compile(r"(CELERY_|KOMBU_).*")  # those that Celery reads inside a notebook, too


def child_environment(*folders: str | Path, **more: str) -> dict[str, str]:
    """The environment of a service: what it needs of this process's own, and `more`.

    It finds modules in `folders`, and packages where this Python found them.
    """
    environment = {name: value for name, value in os.environ.items() if name in NEEDED}
    path = os.pathsep.join(map(str, [*folders, *_package_folder()]))
    return environment | ({"PYTHONPATH": path} if path else {}) | more


def _package_folder() -> list[Path]:
    """The folder of the installed packages, if this Python knows it from its PYTHONPATH alone."""
    told = [Path(folder).resolve() for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    spec = find_spec("celery")
    folder = Path(spec.origin).resolve().parents[1] if spec and spec.origin else None
    return [folder] if folder in told else []


def forget(settings: re.Pattern[str]) -> None:
    """Take the variables whose names match out of this process, and so out of those that it starts."""
    for name in list(os.environ):
        if settings.fullmatch(name):
            del os.environ[name]
