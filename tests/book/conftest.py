"""The book, built of the stored outputs as `make book` does it, and small courses that become books."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from tests.browser.conftest import browser, screenshots  # noqa: F401 (fixtures that are the same here)

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-book" / "bin" / "python"

Build = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def build() -> Build:
    """Builds the book of a course into a folder."""
    if not (ROOT / ".venv-book" / ".ready").is_file():
        pytest.skip("no Sphinx here: `make book` installs it")

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


class Course:
    """One with a single notebook, and with a folder for what it links to."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / "notebooks" / "00_small.ipynb"
        self.path.parent.mkdir()
        shutil.copytree(ROOT / "book", root / "book", ignore=shutil.ignore_patterns("_build", "__pycache__"))
        self.write("tools/course.py", (ROOT / "tools" / "course.py").read_text(encoding="utf-8"))
        self.write(
            "notebooks/map.toml", '[[parts]]\ntitle = "all"\nnotebooks = [{number = "00", title = "", minutes = 1}]'
        )
        self.write("README.md", "# A small course\n\n## All of it\n")
        self.notebook("")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def notebook(self, prose: str, *cells: NotebookNode) -> None:
        notebook = nbformat.v4.new_notebook(
            metadata={"language_info": {"name": "python", "pygments_lexer": "ipython3"}},
            cells=[nbformat.v4.new_markdown_cell(f"# 00 · Small\n\n{prose}"), *cells],
        )
        nbformat.write(notebook, self.path)


@pytest.fixture
def course(tmp_path: Path) -> Iterator[Course]:
    (tmp_path / "course").mkdir()
    return Course(tmp_path / "course")
