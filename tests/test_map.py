"""What lists the notebooks says what the map says."""

import re

import nbformat
import pytest

from tools.course import FOLDER, ON_THE_MAP, PARTS, ROOT, Notebook

PREPARED = [notebook for notebook in ON_THE_MAP if notebook.path]
LATER = "in preparation"


def rows(text: str) -> list[list[str]]:
    """The rows of the tables in a text, without their cells' asterisks."""
    lines = [line.strip() for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in lines]


def of_the_map(folder: str) -> list[tuple[str, str, str]]:
    """Number, title or link, and minutes of all rows, as they must be where the notebooks are in this folder."""
    listed = []
    for part in PARTS:
        listed.append((part.number, part.title, ""))
        for number, title, minutes, path in part.notebooks:
            listed.append((number, f"[{title}]({folder}{path.name})" if path else title, str(minutes or LATER)))
    return listed


def test_every_file_is_on_the_map() -> None:
    assert sorted(FOLDER.glob("*.ipynb")) == [notebook.path for notebook in PREPARED]


def test_numbers_follow_each_other() -> None:
    numbers = [notebook.number for notebook in ON_THE_MAP]
    whole = [number for number in numbers if number.isdigit()]
    assert whole == [f"{number:02}" for number in range(len(whole))]
    assert numbers == sorted(numbers)  # 06b after 06


def test_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = [(row[0], row[1].split("): ")[0] + ")" * ("): " in row[1]), row[2]) for row in rows(text) if len(row) == 3]
    assert listed[2:] == of_the_map("notebooks/")  # behind the head of the table


def test_notebook_00() -> None:
    cells = nbformat.read(PREPARED[0].path, as_version=4).cells
    listed = [tuple(row[:2]) + (row[2] or row[3],) for cell in cells for row in rows(cell.source) if len(row) == 4]
    here, *others = of_the_map("")[1:]
    assert listed[2:4] == [("I", PARTS[0].title, ""), ("00", PREPARED[0].title, here[2])]
    assert listed[4:] == others


@pytest.mark.parametrize("notebook", PREPARED, ids=lambda notebook: notebook.number)
def test_first_lines(notebook: Notebook) -> None:
    first = nbformat.read(notebook.path, as_version=4).cells[0].source
    assert first.splitlines()[0].lower() == f"# {notebook.number} · {notebook.title}".lower()
    assert re.search(r"^\*\*(\d+) minutes\*\*", first, re.MULTILINE)[1] == str(notebook.minutes)
