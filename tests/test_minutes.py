"""The minutes that a notebook of part I says are those that a first reader needs.

The measure: a minute for 150 words, one for 12 lines of code, and five for an exercise.
"""

import re

import nbformat
import pytest

from tools.course import PARTS, Notebook

CORE = [notebook for notebook in PARTS[0].notebooks if notebook.path]
LONGEST = 40  # minutes, of one notebook
PART = 210  # minutes, of the notebooks 00 to 05 together


def needed(notebook: Notebook) -> float:
    """Minutes for the words, the code and the exercises."""
    cells = nbformat.read(notebook.path, as_version=4).cells
    prose = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    exercises = len(re.findall(r"^#+.*exercise", prose, re.IGNORECASE | re.MULTILINE))
    words = len(re.findall(r"[\w’']+", re.sub(r"```.*?```", "", prose, flags=re.DOTALL)))
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code").splitlines()
    return words / 150 + sum(bool(line.strip()) for line in code) / 12 + 5 * exercises


@pytest.mark.parametrize("notebook", CORE, ids=lambda notebook: notebook.number)
def test_a_notebook_says_the_minutes_that_it_takes(notebook: Notebook) -> None:
    assert notebook.minutes == pytest.approx(needed(notebook), rel=0.2)
    assert notebook.minutes <= LONGEST


def test_part_one_takes_half_a_day() -> None:
    assert sum(notebook.minutes or 0 for notebook in CORE if notebook.number <= "05") <= PART
