"""`lab.check_machine`: is everything here that the course needs? If not, it says how to fix what is missing."""

import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from ..basics.errors import LabError
from ..basics.places import ROOT
from .open_lab import current
from .worker import COURSE_PROCESSES

if TYPE_CHECKING:
    from packaging.requirements import Requirement

INSTALL = "run: pip install -r requirements.txt"
MISSING = "missing"
RESTART = "restart the kernel, and run lab.start() again"


def check_machine() -> bool:
    """Print a line for each thing the course needs and return whether all are there."""
    results = [_report(what, missing, fix) for what, missing, fix in CHECKS]
    return all(results)


def _report(what: str, missing: Callable[[], str], fix: str) -> bool:
    """Print `what`; where `missing` returns some words or raises, print these and the fix too."""
    try:
        problem = missing()
    except Exception as error:  # whatever goes wrong belongs in the report
        problem = str(error) or type(error).__name__
    print(f"{'NO ' if problem else 'yes'}  {what}" + (f": {problem}\n     To fix it, {fix}." if problem else ""))
    return not problem


def _old_python() -> str:
    return "" if sys.version_info >= (3, 11) else f"this is Python {sys.version.split()[0]}"


def _wrong_packages() -> str:
    from packaging.requirements import Requirement  # slow to import, and rarely needed

    lines = (line.partition("#")[0].strip() for line in (ROOT / "requirements.txt").read_text().splitlines())
    pinned = [Requirement(line) for line in lines if line and not line.startswith("-c")]
    here = [each for each in pinned if each.marker is None or each.marker.evaluate()]
    wrong = [each for each in here if not _fits(each)]
    return ", ".join(
        f"{each.name} {_installed(each.name)} instead of {str(each.specifier).removeprefix('==')}" for each in wrong
    )


def _fits(requirement: "Requirement") -> bool:
    installed = _installed(requirement.name)
    return installed != MISSING and requirement.specifier.contains(installed, prereleases=True)


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return MISSING


def _no_redis() -> str:
    from tasks import app

    return "" if app.backend.client.ping() else "it answers, but not to a ping"


def _no_facebook() -> str:
    current().fb.identity()
    return ""


def _no_worker() -> str:
    from tasks import app

    stats = app.control.inspect(timeout=2).stats() or {}
    most = max((each["pool"].get("max-concurrency", 0) for each in stats.values()), default=0)
    return (
        ""
        if most >= COURSE_PROCESSES
        else f"the largest one that answers has {most} processes"
        if stats
        else "none answers"
    )


def _no_round_trip() -> str:
    from tasks import fetch_url

    url = f"{current().fb.url}/v1/ada/photos?limit=1&latency=0"
    answer = fetch_url.delay(url).get(timeout=20)
    if len(answer["data"]) != 1:
        raise LabError("the answer is not the one that was asked for")
    return ""


CHECKS: list[tuple[str, Callable[[], str], str]] = [
    ("Python is 3.11 or newer", _old_python, "install a newer Python and set the course up with it"),
    ("the packages have the versions of requirements.txt", _wrong_packages, INSTALL),
    ("Redis answers", _no_redis, RESTART),
    ("the mock Facebook answers", _no_facebook, RESTART),
    (f"a worker with {COURSE_PROCESSES} processes answers", _no_worker, RESTART),
    ("a task goes to the worker, and its result comes back", _no_round_trip, RESTART),
]
