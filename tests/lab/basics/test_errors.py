"""What a notebook shows where something is wrong: a line or two that help."""

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from tests.kernels import NOTEBOOKS, Kernel
from tests.surroundings import surroundings

FIRST_CELLS = {
    path.name: next(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code")
    for path in sorted(NOTEBOOKS.glob("*.ipynb"))
}
INTERRUPTED = """import signal, threading

threading.Timer(1, signal.raise_signal, [signal.SIGINT]).start()
fetch_url.delay(f"{lab.fb.url}/v1/ada/photos?latency=20").get(timeout=20)
"""


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    kernel = Kernel(surroundings(IPYTHONDIR=tmp_path))
    yield kernel
    kernel.close()


def error(kernel: Kernel, source: str) -> str:
    """What a reader sees of the error in which this cell ends."""
    with pytest.raises(AssertionError) as raised:
        kernel.run(source)
    return str(raised.value)


def test_an_interrupted_cell_says_so_in_one_line(kernel: Kernel) -> None:
    kernel.run(f"{FIRST_CELLS['00_start_here.ipynb']}\nfrom tasks import fetch_url")
    assert error(kernel, INTERRUPTED).splitlines()[0] == "KeyboardInterrupt: the cell was stopped in its line 4"
    assert kernel.run("print('goes on')") == "goes on\n"


def test_a_notebook_alone_in_a_folder_says_where_it_belongs(kernel: Kernel, tmp_path: Path) -> None:
    (tmp_path / "empty" / "alone").mkdir(parents=True)
    kernel.run(f"import os; os.chdir({str(tmp_path / 'empty' / 'alone')!r})")
    for name, cell in FIRST_CELLS.items():
        shown = error(kernel, cell)
        assert "No module named 'lab'" in shown, name
        assert 'A notebook runs in the folder of its course, "Learn Celery"' in shown, name
