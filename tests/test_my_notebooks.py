"""The reader's copies of the notebooks: fresh where nobody has touched them, and never lost where somebody has."""

import json
import re
import runpy
from datetime import date
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools.refresh import NOTEBOOKS, ROOT

MODULE = runpy.run_path(str(ROOT / "jupyter" / "my_notebooks.py"))
update_copies, fingerprint = MODULE["update_copies"], MODULE["fingerprint"]
TODAY = date.today()
FIRST, SECOND = "00_first.ipynb", "01_second.ipynb"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))  # where Jupyter notes whom it trusts


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course with two notebooks, of which the reader has copies."""
    (tmp_path / "notebooks").mkdir()
    for name in (FIRST, SECOND):
        write(tmp_path / "notebooks" / name, "seconds = 0")
    assert update_copies(tmp_path) == []
    return tmp_path


def write(path: Path, source: str) -> None:
    cell = new_code_cell(source, execution_count=1, outputs=[new_output("stream", text="0\n")])
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(new_notebook(cells=[cell], metadata=metadata), path)


def source(path: Path) -> str:
    return nbformat.read(path, as_version=4).cells[0].source


def names(course: Path) -> list[str]:
    return sorted(path.name for path in (course / "my_notebooks").glob("[!.]*"))


def test_copies_are_not_run_yet_and_trusted(course: Path) -> None:
    assert names(course) == [FIRST, SECOND]
    for name in names(course):
        original, copy = (
            nbformat.read(course / folder / name, as_version=4) for folder in ("notebooks", "my_notebooks")
        )
        assert original.cells[0].outputs and not copy.cells[0].outputs and copy.cells[0].execution_count is None
        assert source(course / "my_notebooks" / name) == original.cells[0].source
        assert MODULE["NotebookNotary"]().check_signature(copy)


def test_what_a_reader_saves_stays(course: Path) -> None:
    mine = course / "my_notebooks" / FIRST
    write(mine, "seconds = 6")
    assert update_copies(course) == update_copies(course) == []
    assert source(mine) == "seconds = 6"


def test_a_copy_that_is_gone_comes_back(course: Path) -> None:
    (course / "my_notebooks" / FIRST).unlink()
    assert update_copies(course) == []
    assert names(course) == [FIRST, SECOND]


def test_a_new_version_takes_the_place_of_a_copy_that_was_run_at_most(course: Path) -> None:
    copy = course / "my_notebooks" / FIRST
    content = json.loads(copy.read_text())
    content["metadata"]["language_info"] = {"name": "python", "version": "3.99"}
    content["cells"][0]["outputs"] = [new_output("stream", text="0\n")]
    copy.write_text(json.dumps(content))  # as JupyterLab saves what was run
    write(course / "notebooks" / FIRST, "minutes = 0")
    assert update_copies(course) == []
    assert source(copy) == "minutes = 0" and names(course) == [FIRST, SECOND]


def test_a_new_version_lets_a_readers_go_on_under_another_name(course: Path) -> None:
    copy = course / "my_notebooks" / FIRST
    kept = []
    for version in (1, 2):
        write(copy, f"seconds = {version}")
        write(course / "notebooks" / FIRST, f"minutes = {version}")
        kept += update_copies(course)
        assert source(copy) == f"minutes = {version}"
    expected = [f"my_00_first_{TODAY}.ipynb", f"my_00_first_{TODAY}_2.ipynb"]
    assert kept == [f"{FIRST} has changed in the course; yours is now my_notebooks/{name}" for name in expected]
    assert [source(course / "my_notebooks" / name) for name in expected] == ["seconds = 1", "seconds = 2"]
    assert update_copies(course) == []


@pytest.mark.parametrize("solved", [False, True])
def test_a_notebook_that_leaves_the_course(course: Path, solved: bool) -> None:
    if solved:
        write(course / "my_notebooks" / FIRST, "seconds = 6")
    (course / "notebooks" / FIRST).rename(course / "notebooks" / "07_first.ipynb")
    assert len(update_copies(course)) == solved
    assert names(course) == [SECOND, "07_first.ipynb", *[f"my_00_first_{TODAY}.ipynb"] * solved]
    assert update_copies(course) == []


@pytest.mark.parametrize("record", [None, "", "[]", "{"])
def test_without_its_record_nothing_is_lost(course: Path, record: str | None) -> None:
    write(course / "my_notebooks" / FIRST, "seconds = 6")
    (course / "my_notebooks" / ".copied.json").unlink()
    if record is not None:
        (course / "my_notebooks" / ".copied.json").write_text(record)
    assert len(update_copies(course)) == 1
    assert source(course / "my_notebooks" / f"my_00_first_{TODAY}.ipynb") == "seconds = 6"
    assert source(course / "my_notebooks" / FIRST) == "seconds = 0"


def test_what_is_not_a_notebook_is_kept_like_one(course: Path) -> None:
    (course / "my_notebooks" / FIRST).write_text("my notes")
    write(course / "notebooks" / FIRST, "minutes = 0")
    assert len(update_copies(course)) == 1
    assert (course / "my_notebooks" / f"my_00_first_{TODAY}.ipynb").read_text() == "my notes"


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "my_notebooks").touch()
    with pytest.raises(OSError):
        update_copies(tmp_path)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_links_lead_to_the_same_from_a_copy(path: Path) -> None:
    """Other notebooks have copies beside it, and all else is named from the folder above."""
    prose = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\(([^)#\s]+)", prose)
    for link in [link for link in links if "://" not in link]:
        assert (path.parent / link).is_file(), link
        assert link in {each.name for each in NOTEBOOKS} or link.startswith("../"), link
