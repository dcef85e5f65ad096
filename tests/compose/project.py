"""A `docker compose` project for tests: a copy of the files, a name and ports of its own."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.common import free_ports, wait_until

ROOT = Path(__file__).resolve().parents[2]
PORTS = ("REDIS_PORT", "FAKE_FB_PORT", "MAIL_PORT", "JUPYTER_PORT")
BUILD_SECONDS = 600  # with the packages in Docker's cache it takes five
COMMAND_SECONDS = 120  # for what takes some when the machine is not busy


def engine_is_missing() -> str:
    """Why these tests can't run here, or nothing."""
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        try:
            asked = subprocess.run(command, capture_output=True, text=True, timeout=30)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{' '.join(command)}: {error}"
        if asked.returncode:
            return f"{' '.join(command)}: {asked.stderr.strip()}"
    return ""


class Project:
    """One `docker compose` project: the files in `folder`, under a name and on ports that nobody else has."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.seconds_to_health = 0.0  # from `up` on
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("COMPOSE_", "COURSE_"))}
        self.environment = inherited | {port: str(number) for port, number in self.ports.items()}

    def compose(self, *arguments: str, timeout: float = COMMAND_SECONDS, check: bool = True, **environment: str) -> str:
        """What one `docker compose` command prints. AssertionError, with the end of what all said: it failed."""
        done = self.attempt(*arguments, timeout=timeout, **environment)
        if check and done.returncode:
            logs = self.attempt("logs", "--no-color", "--tail", "15").stdout
            said = f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            raise AssertionError(f"docker compose {' '.join(arguments)}\n{said}\n{logs}")
        return done.stdout

    def attempt(
        self, *arguments: str, timeout: float = COMMAND_SECONDS, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """One `docker compose` command, whatever comes of it."""
        return subprocess.run(
            ["docker", "compose", "--project-name", self.name, *arguments],
            cwd=self.folder,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def containers(self, service: str = "") -> list[dict[str, Any]]:
        """What Docker knows of the containers of one service, or of all."""
        ids = self.compose("ps", "--all", "--quiet", *filter(None, [service])).split()
        return json.loads(subprocess.check_output(["docker", "inspect", *ids], text=True)) if ids else []

    def up(self, *arguments: str, **environment: str) -> None:
        """Start what does not run, and return when all is healthy."""
        waiting = ["--wait", "--wait-timeout", str(COMMAND_SECONDS)]
        self.compose("up", *waiting, *arguments, timeout=2 * COMMAND_SECONDS, **environment)

    def left(self) -> list[str]:
        """Containers, volumes, networks and images of this project, running or not."""
        label = f"label=com.docker.compose.project={self.name}"
        found = []
        for kind, every in (("container", ["--all"]), ("volume", []), ("network", []), ("image", ["--all"])):
            found += subprocess.check_output(
                ["docker", kind, "ls", *every, "--quiet", "--filter", label], text=True
            ).split()
        return found

    def down(self) -> None:
        """Take everything away, images and volumes too."""
        self.compose("down", "--volumes", "--rmi", "local", "--remove-orphans", "--timeout", "10")


def copy_of_the_course(folder: Path) -> Path:
    """The files that git knows, or would take, in a new folder that belongs to the containers' user."""
    listed = subprocess.check_output(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True
    )
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    if os.getuid() == 0:
        subprocess.run(["chown", "-R", "1000:1000", folder], check=True)
    return folder


def eventually(what: str, condition: Callable[[], Any], project: Project, timeout: float = COMMAND_SECONDS) -> Any:
    """The condition's first answer that counts as true. AssertionError, with the end of the logs: it had none."""

    def said() -> str:
        logs = project.attempt("logs", "--no-color", "--tail", "15").stdout
        return f"after {timeout} s still not so: {what}\n{logs}"

    return wait_until(condition, timeout, said, pause=0.1)
