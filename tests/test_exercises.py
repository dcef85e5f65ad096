"""Every exercise fails its check untouched, with a hint, and passes it solved; and no notebook gives one away."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from lab.cells.exercises import FOLDER, names_in
from tests.kernels import Kernel
from tests.surroundings import surroundings
from tools.course import NOTEBOOKS

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


def module_of(path: Path) -> Path:
    """The exercises of a notebook are in a module of its name, without its number."""
    return FOLDER / f"{path.stem.partition('_')[2]}.py"


def cells_of(path: Path) -> list[NotebookNode]:
    return nbformat.read(path, as_version=4).cells


def tagged(path: Path, *wanted: str) -> list[tuple[str, str]]:
    """Tag and source of the code cells that have one of the tags, in their order."""
    code = [(cell.metadata.get("tags", []), cell.source) for cell in cells_of(path) if cell.cell_type == "code"]
    return [(tag, source) for tags, source in code for tag in tags if tag in wanted]


def exercises_of(path: Path) -> list[tuple[str, str]]:
    """Name and cell of each exercise."""
    sources = [source for _, source in tagged(path, "exercise", "check")]
    return [(check.removeprefix("%check "), cell) for cell, check in zip(sources[::2], sources[1::2], strict=True)]


def test_notebooks_and_modules_of_exercises_are_the_same() -> None:
    assert sorted(FOLDER.glob("*.py")) == sorted(map(module_of, NOTEBOOKS))


def test_every_exercise_has_a_name_of_its_own() -> None:
    names = Counter(name for path in FOLDER.glob("*.py") for name in names_in(path))
    assert names and not [name for name, count in names.items() if count > 1]


@every_notebook
def test_an_exercise_is_a_cell_a_check_and_a_link(path: Path) -> None:
    tags = [tag for tag, _ in tagged(path, "exercise", "check")]
    assert tags and tags == ["exercise", "check"] * (len(tags) // 2)
    assert [name for name, _ in exercises_of(path)] == names_in(module_of(path))
    cells, name = cells_of(path), module_of(path).name
    for cell, following in zip(cells, [*cells[1:], None], strict=True):
        if "check" in cell.metadata.get("tags", []):
            exercise = re.fullmatch(r"%check (\w+)", cell.source)[1]
            assert following.source.endswith(
                f"The check and one solution: [{name}](../notebooks/exercises/{name}). "
                f"To see the solution here, run `%solution {exercise}` in a new cell."
            )


@every_notebook
def test_no_cell_runs_a_solution(path: Path) -> None:
    code = [cell for cell in cells_of(path) if cell.cell_type == "code"]
    assert not [cell.source for cell in code if re.search(r"%solution\b|\bsolve_", cell.source)]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Kernel]:
    kernel = Kernel(surroundings(IPYTHONDIR=tmp_path))
    try:
        yield kernel
    finally:
        kernel.close()


def lines(printed: str, start: str) -> list[str]:
    return [line for line in printed.splitlines() if line.startswith(start)]


def numbers_in(code: str) -> set[float]:
    constants = {node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)}
    return {value for value in constants if isinstance(value, int | float)}


def given_away(cell: str, solution: str, shown: str) -> list[str]:
    """What of a solution is in a text: lines of it, or numbers that are assigned there, that the cell has not."""
    new = {line.strip() for line in solution.splitlines()} - {line.strip() for line in cell.splitlines()}
    found = [line for line in new if len(line) > len("return True") and line in shown]
    if solution.startswith("%%"):
        return found
    if all(isinstance(statement, ast.Assign) for statement in ast.parse(solution).body):
        numbers = numbers_in(solution) - numbers_in(cell)
        found += [str(number) for number in numbers if re.search(rf"(?<![\d.]){number}\b", shown)]
    return found


@every_notebook
def test_exercises_fail_untouched_and_pass_solved(path: Path, reader: Kernel) -> None:
    for _, source in tagged(path, "setup"):
        reader.run(source)
    for name, cell in exercises_of(path):
        reader.run(cell)
        untouched = reader.run(f"%check {name}")
        assert len(lines(untouched, "Not yet: ")) == len(lines(untouched, "Hint: ")) == 1, untouched
        # Not yet, because the exercise is not done, and not because the check itself stumbles.
        assert not re.search("is not defined|your code raised", untouched), untouched
        assert not lines(untouched, "Right."), untouched
        solution = reader.run(f"%solution {name}")
        assert not given_away(cell, solution, untouched)
        assert solution.startswith("%%") == cell.startswith("%%")
        reader.run(solution)
        solved = reader.run(f"%check {name}")
        assert lines(solved, "Right."), solved
        assert not lines(solved, "Not yet:"), solved


def test_what_is_stored_under_a_guess_has_no_picture_that_answers_it() -> None:
    [stored] = [cell for cell in cells_of(NOTEBOOKS[0]) if "check" in cell.metadata.get("tags", [])]
    assert [output.output_type for output in stored.outputs] == ["stream"]
