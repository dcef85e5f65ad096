"""What strict nbval lets through, and how a notebook of this course is built."""

import ast
import re
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbconvert import get_exporter
from nbconvert.filters import markdown2html
from nbformat import NotebookNode

from tools.refresh import NOTEBOOKS, ROOT, code_cells, is_normal

IGNORED = "nbval-ignore-output"
RAISES = "raises-exception"
PICTURES = ("image/png", "image/jpeg")
PYTHON = re.compile(r"%%(module|writefile( -a)? .*\.py$)", re.MULTILINE)  # cells of another kind hold shell commands
COLUMNS = 88  # what fits beside JupyterLab's sidebar, in the book and on GitHub
# What GitHub shows of an output, and what it takes out of HTML. Style attributes it has kept and dropped over the
# years (github.com/jupyter/nbviewer/issues/450, github.com/karolzak/ipyplot/issues/3): nothing may depend on them.
SHOWN_ON_GITHUB = {"text/plain", "text/html", *PICTURES}
STRIPPED = "script, style, link, iframe, object, embed, form, input, button, canvas, [onclick], [onload], [hidden]"
PLACES = {str(Path.home()), str(ROOT), sys.prefix, sys.base_prefix} - {"/", "/root", "/usr"}
# Roots of absolute paths, unless they are part of a URL.
ABSOLUTE = re.compile(r"(?<![\w.:/%-])(?:/(?:home|root|Users|tmp|usr|var|opt|private|mnt)/|[A-Z]:\\)\w")

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


@cache
def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def words_of(output: NotebookNode) -> str:
    """All that an output says, pictures left out."""
    texts = [output.get("text", ""), output.get("evalue", ""), *output.get("traceback", [])]
    texts += [str(value) for mime, value in output.get("data", {}).items() if mime not in PICTURES]
    return re.sub(r"data:image/\w+;base64,[\w+/=]+", "", "\n".join(texts))


def shown(cell: NotebookNode) -> str:
    """All that the outputs of a cell say."""
    return "\n".join(map(words_of, cell.outputs))


@every_notebook
def test_is_in_normal_form(path: Path) -> None:
    # Unique ids, cells numbered from 1, metadata cut down, outputs made by the code beside them.
    assert is_normal(path), "changed since its outputs were stored: run make refresh"


@every_notebook
def test_it_can_be_made_a_script(path: Path) -> None:
    """As `jupyter nbconvert --to script` does: Python, with the text as comments."""
    script, _ = get_exporter("script")().from_notebook_node(read(path))
    compile(script, path.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)  # as `ipython script.py` runs it
    heading = read(path).cells[0].source.splitlines()[0]
    assert f"# {heading}" in script.splitlines()


@every_notebook
def test_code_fits_its_columns(path: Path) -> None:
    """`make lint` checks this, too, but for the cells with a magic, which ruff leaves alone, and their first lines."""
    lines = [line for cell in code_cells(read(path)) for line in cell.source.splitlines()]
    assert not [line for line in lines if len(line) > COLUMNS]


@every_notebook
def test_code_under_a_magic_is_formatted(path: Path) -> None:
    """As ruff formats the other cells."""
    for source in [cell.source for cell in code_cells(read(path)) if PYTHON.match(cell.source)]:
        lines = source.splitlines()
        code = "\n".join(line for line in lines if not line.startswith("%%")).strip("\n") + "\n"
        ruff = [Path(sys.executable).with_name("ruff"), "format", "--stdin-filename", path.with_suffix(".py"), "-"]
        formatted = subprocess.run(ruff, input=code, stdout=subprocess.PIPE, text=True, check=True).stdout
        assert code == formatted, f"{source}\n\nRuff would have it so:\n\n{formatted}"


@every_notebook
def test_outputs_fit_their_columns(path: Path) -> None:
    for cell in code_cells(read(path)):
        # Who sees a picture or a page does not see the text that stands for it.
        seen = [output for output in cell.outputs if not set(output.get("data", {})) - {"text/plain"}]
        lines = [line for output in seen for line in words_of(output).splitlines()]
        assert not [line for line in lines if len(line) > COLUMNS], cell.source


@every_notebook
def test_every_code_cell_was_run(path: Path) -> None:
    # nbval compares nothing where the stored cell wasn't run.
    unrun = [cell.source for cell in code_cells(read(path)) if not cell.execution_count]
    assert not unrun


@every_notebook
def test_tags_not_comments_steer_nbval(path: Path) -> None:
    for cell in code_cells(read(path)):
        assert not re.search(r"#\s*(NBVAL_|PYTEST_VALIDATE)", cell.source, re.IGNORECASE), cell.source
        # Also finds nbval_ignore_output, which nbval silently doesn't know.
        assert not [tag for tag in tags(cell) if tag.startswith("nbval") and tag != IGNORED], cell.source


@every_notebook
def test_announced_errors_are_raised(path: Path) -> None:
    for cell in code_cells(read(path)):
        raised = any(output.output_type == "error" for output in cell.outputs)
        assert raised == (RAISES in tags(cell)), cell.source


@every_notebook
def test_uncompared_output_is_asserted_next(path: Path) -> None:
    cells = code_cells(read(path))
    for cell, following in zip(cells, [*cells[1:], None], strict=True):
        if IGNORED in tags(cell):
            assert following and "assert" in following.source, cell.source


def test_few_outputs_go_uncompared() -> None:
    with_output = [cell for path in NOTEBOOKS for cell in code_cells(read(path)) if cell.outputs]
    ignored = [cell.source for cell in with_output if IGNORED in tags(cell)]
    assert len(ignored) * 10 <= len(with_output), ignored


@every_notebook
def test_outputs_name_no_machine(path: Path) -> None:
    host = socket.gethostname()
    for cell in code_cells(read(path)):
        text = shown(cell)
        assert not ABSOLUTE.search(text), text
        assert not [place for place in PLACES if place in text], text
        assert host == "localhost" or not re.search(rf"\b{re.escape(host)}\b", text), text


@every_notebook
def test_links_lead_through_the_course(path: Path) -> None:
    prose = [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]
    first, last = prose[0], prose[-1]
    assert first.startswith("# ")
    here = NOTEBOOKS.index(path)
    for neighbour in NOTEBOOKS[max(here - 1, 0) : here] + NOTEBOOKS[here + 1 : here + 2]:
        assert f"({neighbour.name})" in first
    assert f"({NOTEBOOKS[0].name}#The-map)" in first
    for neighbour in NOTEBOOKS[here + 1 : here + 2]:
        assert f"({neighbour.name})" in last


def test_the_first_notebook_has_the_map() -> None:
    listed = next(cell.source for cell in read(NOTEBOOKS[0]).cells if "\n## The map\n" in cell.source)
    assert all(f"({path.name})" in listed for path in NOTEBOOKS[1:])


@every_notebook
def test_github_shows_every_output(path: Path) -> None:
    for cell in code_cells(read(path)):
        for data in [output.data for output in cell.outputs if "data" in output]:
            assert set(data) <= SHOWN_ON_GITHUB, cell.source
            assert data["text/plain"].strip(), cell.source  # for those who can't see it


@every_notebook
def test_nothing_needs_what_github_strips(path: Path) -> None:
    for cell in read(path).cells:
        written = [markdown2html(cell.source)] if cell.cell_type == "markdown" else []
        outputs = [
            output.data["text/html"] for output in cell.get("outputs", []) if "text/html" in output.get("data", {})
        ]
        for soup in (BeautifulSoup(source, "html.parser") for source in written + outputs):
            assert not soup.select(STRIPPED), cell.source
            # Without its style a page still has its words, in an order that a table keeps, and hides nothing.
            styles = " ".join(element["style"] for element in soup.select("[style]"))
            assert not re.search(r"display:\s*(none|grid)|position:|float:|url\(", styles), cell.source
            assert {element.name for element in soup.select('[style*="flex;"]')} <= {"tr"}, cell.source
            # A picture that isn't shown leaves its words: its own, or those beside it.
            assert all(image.get("alt") or image.parent.get_text().strip() for image in soup.select("img")), cell.source
