"""A copy of the course in JupyterLab, and a browser that looks at it."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.jupyterlab import DEADLINE_SECONDS, FIRST, JupyterLab
from tests.browser.reader import Reader

ROOT = Path(__file__).resolve().parents[2]
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
# No graphics card, and no talk with anybody but JupyterLab. Playwright adds --headless, --no-sandbox and the like.
FLAGS = ["--disable-gpu", "--disable-quic", "--disable-sync"]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the course: JupyterLab saves what a reader runs. Its path has a space in it."""
    if not shutil.which("make"):
        pytest.skip("no make here, and these tests start JupyterLab by `make lab`")
    copy = tmp_path_factory.mktemp("browser") / "the course"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "__pycache__", "tests", "my_notebooks"))
    # The environment in which pytest runs serves as the one that `make` would install.
    (copy / ".venv").mkdir()
    (copy / ".venv" / ".ready").touch()
    for part in Path(sys.prefix).iterdir():
        if part.name != ".ready":
            (copy / ".venv" / part.name).symlink_to(part)
    return copy


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """Where JupyterLab keeps its settings and its kernels' sockets from one start to the next."""
    # Not in pytest's folders: the path of a socket may have no more than 103 characters (macOS).
    folder = Path(tempfile.mkdtemp(dir="/tmp", prefix="jupyter-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def start_jupyterlab(browser: Browser, course: Path, home: Path) -> Iterator[Callable[[], JupyterLab]]:
    """Starts JupyterLab, if there is a browser to look at it."""
    started = []

    def start() -> JupyterLab:
        started.append(JupyterLab(course, home))
        return started[-1]

    yield start
    for each in started:
        if each.process.returncode is None:
            each.end()


@pytest.fixture(scope="module")
def jupyterlab(start_jupyterlab: Callable[[], JupyterLab]) -> JupyterLab:
    """The one that most tests share."""
    return start_jupyterlab()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if named := os.environ.get("CHROMIUM"):
        executable = shutil.which(named)
        assert executable, f"CHROMIUM={named} is no program. Name one, or unset it to look for {', '.join(CHROMIUMS)}."
    elif not (executable := next(filter(None, map(shutil.which, CHROMIUMS)), None)):
        pytest.skip(f"no browser: none of {', '.join(CHROMIUMS)} is on PATH. Install one, or name it in CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS, timeout=1000 * DEADLINE_SECONDS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for screenshots: SCREENSHOTS, or one of pytest's own."""
    if not (named := os.environ.get("SCREENSHOTS")):
        return tmp_path_factory.mktemp("screenshots")
    folder = Path(named).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def open_reader(browser: Browser, screenshots: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Reader]]:
    """Opens the address that a JupyterLab has printed, in a browser that has seen nothing yet. JupyterLab stores the
    layout for the next page, unless the page has a workspace of its own: `workspaces/…/`."""
    readers = []

    def open_page(jupyterlab: JupyterLab, workspace: str = "") -> Reader:
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        readers.append(Reader(context.new_page(), screenshots, jupyterlab.log))
        readers[-1].follow(jupyterlab.url.replace("/lab/", f"/lab/{workspace}", 1), FIRST)
        return readers[-1]

    yield open_page
    for reader in readers:
        if not reader.page.is_closed():
            reader.screenshot(f"{request.node.name}, at its end")
            reader.close()


@pytest.fixture
def reader(jupyterlab: JupyterLab, open_reader: Callable[..., Reader], request: pytest.FixtureRequest) -> Reader:
    """In a workspace of the test's own."""
    return open_reader(jupyterlab, f"workspaces/{request.node.name}/")
