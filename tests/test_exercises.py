"""Every exercise fails its check untouched, with a hint, and passes it with the solution that is folded under it."""

import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbformat import NotebookNode

from tests import kernels

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))
PARTS = ("exercise", "check", "solution")
DEADLINE = 120  # seconds; for a cell that takes a few when the machine is not busy
LAB_READS = {"REDIS_URL", "FAKE_FB_URL", "PYTEST_CURRENT_TEST"}

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


@cache
def tagged(path: Path, *wanted: str) -> list[tuple[str, str]]:
    """Tag and source of the code cells that have one of the tags, in their order."""
    cells: list[NotebookNode] = nbformat.read(path, as_version=4).cells
    code = [(cell.metadata.get("tags", []), cell.source) for cell in cells if cell.cell_type == "code"]
    return [(tag, source) for tags, source in code for tag in tags if tag in wanted]


@every_notebook
def test_exercise_check_and_solution_follow_each_other(path: Path) -> None:
    cells = tagged(path, *PARTS)
    tags = tuple(tag for tag, _ in cells)
    assert tags, "a notebook has at least one exercise"
    assert tags == PARTS * (len(tags) // len(PARTS))
    for tag, source in cells:
        first, _, rest = source.partition("\n")
        if tag == "check":
            assert first.startswith("%%check ") and "assert " in rest, source
        if tag == "solution":
            assert first == "%%solution" and rest.strip(), source


class Reader:
    """Somebody at a kernel, who runs cells and reads what they print."""

    def __init__(self, folder: Path) -> None:
        def make_manager() -> KernelManager:
            manager = KernelManager(kernel_name="python3", connection_file=str(folder / "kernel.json"))
            manager.kernel_spec.argv[0] = sys.executable
            return manager

        environment = {name: value for name, value in os.environ.items() if name not in LAB_READS}
        # Ports where nothing listens: the Compose services of this machine are left alone.
        environment |= {"LAB_LIVE": "0", "IPYTHONDIR": str(folder), "REDIS_PORT": "1", "FAKE_FB_PORT": "1"}
        self.manager, self.client = kernels.start(make_manager, cwd=str(NOTEBOOKS[0].parent), env=environment)

    def run(self, source: str) -> str:
        """What the cell prints. It must not end in an error."""
        printed = []

        def listen(message: dict) -> None:
            if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
                printed.append(message["content"]["text"])

        reply = self.client.execute_interactive(source, timeout=DEADLINE, output_hook=listen)["content"]
        assert reply["status"] == "ok", "\n".join(reply.get("traceback", []))
        return "".join(printed)

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()
        self.manager.context.destroy(linger=0)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    reader = Reader(tmp_path)
    try:
        yield reader
    finally:
        reader.close()


def lines(printed: str, start: str) -> list[str]:
    return [line for line in printed.splitlines() if line.startswith(start)]


@every_notebook
def test_exercises_fail_untouched_and_pass_solved(path: Path, reader: Reader) -> None:
    for _, source in tagged(path, "setup"):
        reader.run(source)
    sources = [source for _, source in tagged(path, *PARTS)]
    for exercise, check, solution in zip(*[iter(sources)] * len(PARTS), strict=True):
        reader.run(exercise)
        untouched = reader.run(check)
        assert len(lines(untouched, "Not yet: ")) == len(lines(untouched, "Hint: ")) == 1, untouched
        # Not yet, because the exercise is not done, and not because the check itself stumbles.
        assert "is not defined" not in untouched, untouched
        assert not lines(untouched, "Right."), untouched
        reader.run(solution.partition("\n")[2])
        solved = reader.run(check)
        assert lines(solved, "Right."), solved
        assert not lines(solved, "Not yet:"), solved
