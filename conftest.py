"""What `pytest --nbval` needs to know and pyproject.toml can't say."""

import os
import shutil
import tempfile
from collections.abc import Generator
from functools import partial
from pathlib import Path

import nbval.kernel
import pytest
from jupyter_client.manager import KernelManager
from nbval.plugin import IPyNbCell
from xdist.scheduler import LoadFileScheduling

pytest.register_assert_rewrite("tests")  # helpers too: their asserts hold whatever PYTHONOPTIMIZE says

from lab.basics import environment  # noqa: E402
from tests import kernels  # noqa: E402
from tools.course import NOTEBOOKS  # noqa: E402

# Who runs the tests may have set up Python, IPython or Celery for other work. Kernels, and the processes that share
# the tests, begin without that.
environment.forget(environment.SETTINGS)


class OneNotebookAtATime(LoadFileScheduling):
    """Side by side with the tests, but not with each other."""

    def _split_scope(self, nodeid: str) -> str:
        return "notebooks" if ".ipynb::" in nodeid else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling | None:
    if os.environ.get("REDIS_URL") or os.environ.get("FAKE_FB_URL"):
        return OneNotebookAtATime(config, log)  # they share what these name, and count what its server sees
    return None


def pytest_configure(config: pytest.Config) -> None:
    option = config.option
    # nbval looks for this file where the shell is; the absolute path serves every folder.
    option.nbval_sanitize_with = option.nbval_sanitize_with or str(config.rootpath / "tests" / "sanitize.cfg")
    # Run the notebooks with the Python that runs pytest, whatever kernel they were saved with.
    option.nbval_current_env = not option.nbval_kernel_name
    profile = tempfile.mkdtemp(prefix="celery-course-ipython-")
    config.add_cleanup(partial(shutil.rmtree, profile, ignore_errors=True))
    os.environ["IPYTHONDIR"] = profile
    # nbval can't follow a picture that is redrawn: lab draws the last one only.
    os.environ["LAB_LIVE"] = "0"
    # Notebooks run side by side, each with services of its own. Those of a running docker compose, which they
    # would have to share, are not looked for unless the ports are named.
    os.environ.setdefault("REDIS_PORT", "0")
    os.environ.setdefault("FAKE_FB_PORT", "0")
    nbval.kernel.KernelManager = make_notebook_kernel


def make_notebook_kernel(**options: object) -> KernelManager:
    """The kernel that nbval starts for each notebook."""
    # A kernel that finds this variable hides what its child processes print; JupyterLab's shows it.
    os.environ.pop("PYTEST_CURRENT_TEST", None)
    return kernels.make_manager(kernels.NotebookManager, **options)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    cells: dict[Path, int] = {}
    for item in items:
        if isinstance(item, IPyNbCell):
            item.output_timeout = 30  # seconds; nbval's 5 are short on a busy machine
            cells[item.path] = cells.get(item.path, 0) + 1
    # What takes longest begins first, so that no worker is left alone with it at the end: the containers, the browser,
    # the notebooks by their length, then the longest of the other files. Notebook 12 alone comes last: it keeps all
    # cores busy and measures what that costs, so it is better off when the others have nothing to run.
    [last] = [path for path in NOTEBOOKS if path.stem.endswith("thousand_urls")]
    first = ["test_jupyterlab.py", "test_compose_live.py"]
    then = ["test_exercises.py", "test_book_in_browser.py", "test_start.py"]
    items.sort(
        key=lambda item: (
            item.path == last,
            -first.index(item.path.name) if item.path.name in first else 1,
            -cells.get(item.path, 0),
            item.path.name not in then,
        )
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and isinstance(item, IPyNbCell):
        # nbval says that a cell failed, and not what it had printed until then.
        written = [(output["name"], output["text"]) for output in item.test_outputs or [] if "name" in output]
        report.sections += [(f"What the cell wrote to {stream}", text) for stream, text in written]
    return report
