"""What notebook 06 says of a project of one's own, where its cells can't show it: an empty environment, a RabbitMQ that
is not there, two projects on one Redis."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest

from tests.common import wait_until
from tests.kernels import Kernel
from tests.surroundings import surroundings
from tools.course import FOLDER, ROOT

DEADLINE_SECONDS = 60  # for what takes a few when the machine is not busy
INSTALL_SECONDS = 300  # for pip; it takes ten from a near server
RABBITMQ = ("127.0.0.1", 5672)
CELLS = nbformat.read(FOLDER / "06_your_own_project.ipynb", as_version=4).cells
OFFLINE = re.compile(r"Failed to establish a new connection|Name or service not known|Temporary failure in name")
NAMELESS = """
import os
from celery import Celery
app = Celery("{name}", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])
app.conf.task_default_queue = "{queue}"
@app.task
def greet():
    return "{name}"
"""


def written(name: str) -> str:
    """The first file of this name that the notebook writes."""
    sources = [cell.source for cell in CELLS if cell.cell_type == "code"]
    return next(source.partition("\n")[2] for source in sources if source.startswith(f"%%writefile {name}\n"))


def commands(words: str, text: str) -> list[str]:
    """The block of commands that begins with these words."""
    blocks = re.findall(r"^```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return next(block.splitlines() for block in blocks if block.startswith(words))


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The addresses of a Redis and a mock Facebook, as the notebook's cells find them in their environment."""
    kernel = Kernel(surroundings(IPYTHONDIR=tmp_path_factory.mktemp("ipython")))
    try:
        kernel.run("import os, sys; sys.path.insert(0, '..'); import lab; lab.start(worker=False, private=True)")
        redis, facebook = kernel.run("print(os.environ['REDIS_URL'], os.environ['FAKE_FB_URL'])").split()
        yield {"REDIS_URL": redis, "FAKE_FB_URL": facebook}
    finally:
        kernel.close()


def run(*argv: object, cwd: Path, seconds: float = DEADLINE_SECONDS, **more: str) -> subprocess.CompletedProcess[str]:
    environment = surroundings(PYTHONDONTWRITEBYTECODE=1, **more)
    return subprocess.run(argv, cwd=cwd, env=environment, capture_output=True, text=True, timeout=seconds)


@contextmanager
def worker(python: Path | str, app: str, cwd: Path, **more: str) -> Iterator[Path]:
    """A worker of a project in this folder; its log."""
    log = cwd / f"{app}.log"
    command = [python, "-m", "celery", "-A", app, "worker", "--concurrency", "1", "--loglevel", "INFO"]
    command += ["--without-mingle", "--hostname", f"{app}@test"]
    with log.open("wb") as output:
        environment = surroundings(PYTHONDONTWRITEBYTECODE=1, **more)
        process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        wait_until(lambda: "ready." in log.read_text(), DEADLINE_SECONDS, log.read_text, pause=0.1)
        yield log
    finally:
        os.killpg(process.pid, 9)
        process.wait()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the commands of notebook 06 were typed, one after the other."""
    folder = tmp_path_factory.mktemp("monday")
    script = "\n".join(["set -e", *commands("python3 -m venv", "\n".join(cell.source for cell in CELLS))])
    script = script.replace("python3 ", f"{sys.executable} ", 1)
    pip(script, folder)
    return folder


def pip(script: str, folder: Path) -> None:
    """Run these commands; with the versions that the course has pinned. Skips without a network."""
    known = {name: value for name, value in os.environ.items() if re.search("^PIP_|_proxy$", name, re.IGNORECASE)}
    pinned = {"PIP_CONSTRAINT": str(ROOT / "constraints.txt"), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = run("bash", "-c", script, cwd=folder, seconds=INSTALL_SECONDS, **(known | pinned))
    if done.returncode and OFFLINE.search(done.stdout + done.stderr):
        pytest.skip("pip reaches no server for packages")
    assert not done.returncode, done.stdout[-2000:] + done.stderr[-2000:]


def test_the_ten_lines_run_in_a_new_environment(installed: Path, services: dict[str, str]) -> None:
    for name in ("tasks.py", "ask.py"):
        (installed / name).write_text(written(name), encoding="utf-8")
    python = installed / ".venv" / "bin" / "python"
    with worker(python, "tasks", installed, **services) as log:
        said = run(python, "ask.py", cwd=installed, **services)
        assert said.stdout == "photos: 2\n", said.stderr + log.read_text()


def test_the_project_runs_its_tests_in_a_new_environment(
    installed: Path, services: dict[str, str], tmp_path: Path
) -> None:
    """All of its README's commands, but for the making of the environment, which costs seconds."""
    ignore = shutil.ignore_patterns("__pycache__", ".pytest_cache")
    project = shutil.copytree(ROOT / "project", tmp_path / "project", ignore=ignore)
    readme = (project / "README.md").read_text(encoding="utf-8")
    made, active, install, test = commands("python3 -m venv", readme)
    assert (made, active) == tuple(commands("python3 -m venv", "\n".join(cell.source for cell in CELLS))[:2])
    pip(f"set -e; cd {installed}; {active}; cd {project}; {install}", project)
    bin_folder = installed / ".venv" / "bin"
    said = run(bin_folder / test, "--color", "no", cwd=project, seconds=2 * DEADLINE_SECONDS, **services)
    assert re.search(r"^=* 11 passed in ", said.stdout, re.MULTILINE), said.stdout + said.stderr


def test_without_its_app_a_task_is_refused_in_a_second(tmp_path: Path) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(RABBITMQ) == 0:
            pytest.skip("a program listens on port 5672 here: the message would be its own")
    code = "from celery import shared_task\n@shared_task\ndef greet(): ...\ngreet.delay()"
    began = time.monotonic()
    said = run(sys.executable, "-c", code, cwd=tmp_path)
    took = time.monotonic() - began
    last = said.stderr.strip().splitlines()[-1]
    assert "Connection refused" in last and "5672" not in last, said.stderr
    assert took < 10


@pytest.mark.parametrize(
    ("queues", "databases", "answers"),
    [(("celery", "celery"), (1, 1), 2), (("one", "two"), (2, 2), 2), (("celery", "celery"), (3, 4), 1)],
    ids=["nothing apart", "a queue of its own", "a database of its own"],
)
def test_what_keeps_two_projects_apart(
    queues: tuple[str, str],
    databases: tuple[int, int],
    answers: int,
    tmp_path: Path,
    services: dict[str, str],
) -> None:
    """Whether the other project takes a message, and whether its worker answers a ping."""
    names = ("mine", "other")
    urls = [services["REDIS_URL"].rpartition("/")[0] + f"/{database}" for database in databases]
    for name, queue in zip(names, queues, strict=True):
        (tmp_path / f"{name}.py").write_text(NAMELESS.format(name=name, queue=queue))
    ask = "from mine import greet; print(greet.delay().get(timeout=3))"
    with worker(sys.executable, "other", tmp_path, REDIS_URL=urls[1]):
        said = run(sys.executable, "-c", ask, cwd=tmp_path, REDIS_URL=urls[0])
        taken = "NotRegistered" in said.stderr
        assert taken or "TimeoutError" in said.stderr, said.stderr
        assert taken == (queues[0] == queues[1] and databases[0] == databases[1])
        with worker(sys.executable, "mine", tmp_path, REDIS_URL=urls[0]):
            ping = [sys.executable, "-m", "celery", "-A", "mine", "inspect", "ping"]
            said = run(*ping, cwd=tmp_path, REDIS_URL=urls[0])
            assert said.stdout.count("pong") == answers, said.stdout
