"""The book, built of the stored outputs as `make book` does it, and small courses that become books."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.book.course import Course
from tests.browser.conftest import browser, screenshots  # noqa: F401 (fixtures that are the same here)
from tools.course import ROOT

PYTHON = ROOT / ".venv-book" / "bin" / "python"

Build = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def build() -> Build:
    """Builds the book of a course into a folder."""
    if not (ROOT / ".venv-book" / ".ready").is_file():
        pytest.skip("no Sphinx here: `make book` installs it")
    if not os.access(PYTHON, os.X_OK):  # a container sees the folder, and not the Python that it links to
        pytest.skip(".venv-book was made on another machine")

    def build(course: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
        command = [PYTHON, "-E", "-m", "sphinx", "-qEW", "--keep-going", "-c", "book", *options, ".", folder / "html"]
        return subprocess.run(command, cwd=course, capture_output=True, text=True)

    return build


@pytest.fixture(scope="session")
def book(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the pages."""
    folder = tmp_path_factory.mktemp("book")
    built = build(ROOT, folder)
    assert built.returncode == 0, built.stderr
    return folder / "html"


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path / "course")
