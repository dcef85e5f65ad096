"""Every exercise fails its check untouched, with a hint, and passes it with the solution that is folded under it."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from tests.kernels import Kernel
from tests.surroundings import surroundings
from tools.course import NOTEBOOKS

PARTS = ("exercise", "check", "solution")

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


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Kernel]:
    kernel = Kernel(surroundings(IPYTHONDIR=tmp_path))
    try:
        yield kernel
    finally:
        kernel.close()


def lines(printed: str, start: str) -> list[str]:
    return [line for line in printed.splitlines() if line.startswith(start)]


@every_notebook
def test_exercises_fail_untouched_and_pass_solved(path: Path, reader: Kernel) -> None:
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
