"""The README's links lead somewhere, its Celery code runs, and its picture is the one that notebook 05 shows."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kernels import Kernel
from tests.surroundings import surroundings
from tools.refresh import HEADLINE_FILE, NOTEBOOKS, ROOT, headline

README = (ROOT / "README.md").read_text(encoding="utf-8")
LINKS = re.findall(r"\]\(([^)#:]+)\)", README)
TASK, CALL = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
WORKER = re.search(r"^`(celery .*?)` starts a worker", README, re.MULTILINE)[1]
CODESPACE = re.compile(r"https://codespaces\.new/[^\s)]+")
DEADLINE_SECONDS = 60  # for what takes a few when the machine is not busy
COUNT = "print(len(photos['data']), 'photos')"


@pytest.mark.parametrize("link", LINKS)
def test_link_leads_to_a_file(link):
    assert (ROOT / link).is_file()


def test_every_notebook_is_listed():
    assert {f"notebooks/{path.name}" for path in NOTEBOOKS} <= set(LINKS)


def test_picture_is_that_of_its_notebook():
    assert HEADLINE_FILE.read_bytes() == headline(), "make refresh"


def test_it_offers_a_codespace_once_there_is_a_public_address():
    address = re.search(r'^ADDRESS = "(.*)"$', (ROOT / "book" / "conf.py").read_text(encoding="utf-8"), re.MULTILINE)[1]
    offered = [address.replace("https://github.com/", "https://codespaces.new/")] if address else []
    assert CODESPACE.findall(README) == offered


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    kernel = Kernel(surroundings(IPYTHONDIR=tmp_path))
    try:
        kernel.run("import os, sys; sys.path.insert(0, '..'); import lab")
        yield kernel
    finally:
        kernel.close()


def addressed(code: str, redis: str, facebook: str) -> str:
    """The code with the addresses of the servers of this test."""
    return code.replace("redis://localhost", redis).replace("http://localhost:8000", facebook)


@contextmanager
def worker_in(folder: Path) -> Iterator[Path]:
    """The log of a worker, started in this folder as the README says."""
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *WORKER.split()],
            cwd=folder,
            env=surroundings(TMPDIR=folder),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield log
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_its_two_pieces_of_code_are_a_task_and_a_call(kernel, tmp_path):
    """As two programs, with a worker of the README's own `tasks.py`."""
    kernel.run("lab.start(worker=False)")
    redis, facebook = kernel.run("print(os.environ['REDIS_URL'], lab.fb.url)").split()
    (tmp_path / "tasks.py").write_text(addressed(TASK, redis, facebook), encoding="utf-8")
    with worker_in(tmp_path) as log:
        said = subprocess.run(
            [sys.executable, "-c", addressed(CALL, redis, facebook) + COUNT],
            cwd=tmp_path,
            env=surroundings(),
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
        )
        assert said.stdout == "25 photos\n", said.stderr + log.read_text()


def test_its_call_runs_with_the_tasks_of_the_course(kernel):
    kernel.run("lab.start()")
    facebook = kernel.run("print(lab.fb.url)").strip()
    assert kernel.run(addressed(CALL, "", facebook) + COUNT) == "25 photos\n"
