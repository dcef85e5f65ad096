"""The pages of the book: nothing is left out, links lead somewhere, and nothing comes from another host."""

import base64
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat import NotebookNode

from book.run import run
from tests.book.conftest import Build
from tests.book.course import Course
from tests.book.pages import address, dead_links, is_outside, page_of, pages, parse, select, target, words
from tools.course import NOTEBOOKS, PARTS, ROOT
from tools.refresh import code_cells

LOADS = "[src], iframe, object, embed, base, meta[http-equiv=refresh], link[href]"
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


def code(source: str, *tags: str, outputs: tuple[NotebookNode, ...] = ()) -> NotebookNode:
    return nbformat.v4.new_code_cell(source, metadata={"tags": [*tags]}, outputs=[*outputs])


def test_every_link_and_anchor_leads_somewhere(book: Path) -> None:
    assert not dead_links(book)
    inside = [link for _, link in select(book, "article a[href]") if not is_outside(address(link))]
    assert len(inside) > 5 * len(NOTEBOOKS)


def test_no_page_names_a_place_twice(book: Path) -> None:
    for page in pages(book):
        places = [element["id"] for element in parse(page).select("[id]")]
        assert len(places) == len(set(places)), page.name


def test_the_readme_is_the_front_page(book: Path) -> None:
    title = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n")[0]
    assert f"# {parse(book / 'index.html').select_one('article h1').find(string=True)}" == title


def test_every_page_has_the_map_of_the_course(book: Path) -> None:
    for page in pages(book):
        beside = parse(page).select_one(".bd-sidebar-primary nav.bd-links")
        assert [each.get_text() for each in beside.select(".caption")] == [
            f"{part.number} · {part.title}" for part in PARTS if any(each.path for each in part.notebooks)
        ]
        listed = [target(page, address(link)) for link in beside.select("li > a")]
        assert listed == [page_of(book, path) for path in NOTEBOOKS], page.name


@every_notebook
def test_contents_of_the_page_previous_and_next(book: Path, path: Path) -> None:
    page, here = page_of(book, path), NOTEBOOKS.index(path)
    sections = [words(heading.get_text()).rstrip("#") for heading in parse(page).select("article h2")]
    assert [
        words(link.get_text()) for link in parse(page).select(".bd-sidebar-secondary nav > ul > li > a")
    ] == sections
    before = page_of(book, NOTEBOOKS[here - 1]) if here else book / "README.html"
    after = [page_of(book, each) for each in NOTEBOOKS[here + 1 : here + 2]]
    assert [target(page, address(link)) for link in parse(page).select("a.left-prev")] == [before]
    assert [target(page, address(link)) for link in parse(page).select("a.right-next")] == after


def test_links_to_files_lead_to_pages(book: Path) -> None:
    for page, link in select(book, "article a[href]"):
        file = target(page, address(link))
        assert is_outside(address(link)) or file.suffix in {".html", ".png"}, f"{page.name}: {address(link)}"
    shown = parse(book / "tasks.py.html")
    assert words(shown.select_one("article .highlight").get_text()) == words((ROOT / "tasks.py").read_text("utf-8"))
    assert shown.select("article .highlight-python .kn")  # "import"


def test_nothing_is_loaded_from_outside(book: Path) -> None:
    for page, element in select(book, LOADS):
        assert address(element).startswith("data:image/") or not is_outside(address(element)), f"{page.name}: {element}"
        assert element.name in {"script", "link", "img"}, f"{page.name}: {element}"


def test_only_the_course_s_own_words_link_outside(book: Path) -> None:
    everywhere = [(page, address(link)) for page, link in select(book, "a[href], form[action]")]
    written = [(page, address(link)) for page, link in select(book, "article a[href]")]
    assert sorted(each for each in everywhere if is_outside(each[1])) == sorted(w for w in written if is_outside(w[1]))
    assert any(is_outside(link) for _, link in written)


def test_every_picture_has_words(book: Path) -> None:
    for page, image in select(book, "img"):
        # Beside a face of the timeline stands the name: read aloud, it would be heard twice.
        beside = image.find_parent(class_="text_html") and image.parent.get_text().strip()
        given = image.get("alt", "").strip()
        assert given and not given.endswith(".png") or beside, f"{page.name}: {str(image)[-99:]}"


@every_notebook
def test_all_code_and_all_outputs_are_shown(book: Path, path: Path) -> None:
    cells = code_cells(nbformat.read(path, as_version=4))
    for cell, shown in zip(cells, parse(page_of(book, path)).select("article div.cell"), strict=True):
        text = words(shown.get_text())
        assert words(cell.source) in text
        pictures = {image["alt"] for image in shown.select("img")}
        for output in cell.outputs:
            data = output.get("data", {})
            if "image/png" in data:
                assert data["text/plain"].replace("\n", "; ") in pictures
            elif "text/html" in data:
                assert words(BeautifulSoup(data["text/html"], "html.parser").get_text()) in text
            else:
                assert words(output.get("text") or data.get("text/plain") or output["ename"]) in text


def test_code_under_a_magic_is_coloured(book: Path) -> None:
    assert not select(book, ".highlight .err")
    magics = [cell for _, cell in select(book, ".cell_input pre") if cell.get_text().startswith("%%")]
    assert len(magics) > 2 * len(NOTEBOOKS)
    for cell in magics:
        assert cell.select_one("span[class]")["class"] == ["cp"]
        assert len({span["class"][0] for span in cell.select("span[class]")}) > 2, cell.get_text()


def test_all_kinds_of_links_and_cells(build: Build, course: Course, tmp_path: Path) -> None:
    course.write("tasks.py", "import os\n")
    course.write("notebooks/exercises/one.py", "import sys\n")
    course.write("LICENSE", "Do as you like.\n")
    course.root.joinpath("chart.png").write_bytes(PICTURE)
    error = nbformat.v4.new_output("error", ename="E", evalue="no <way>", traceback=["E: \x1b[31mno <way>\x1b[0m"])
    course.notebook(
        "[1](#The-map) [2](00_small.ipynb#Why%3F) [3](../README.md#all-of-it) [4](../tasks.py) [5](exercises/one.py) "
        "[6](../notebooks/exercises/one.py) [7](../LICENSE) [8](../chart.png)\n\n![words](../chart.png)\n\n"
        "## The map\n\n## Why?\n",
        code("%check one\nimport os\n'a' 'b'"),
        code("1 / 0", outputs=(error,)),
    )
    built = build(course.root, tmp_path)
    assert built.returncode == 0, built.stderr
    book = tmp_path / "html"
    page = book / "notebooks" / "00_small.html"
    assert not dead_links(book)
    assert [address(link) for link in parse(page).select("article p:has(a + a) a")] == [
        "#the-map",
        "#why",
        "../README.html#all-of-it",
        "../tasks.py.html",
        "exercises/one.py.html",
        "exercises/one.py.html",
        "../LICENSE.html",
        "../chart.png",
    ]
    magic = parse(page).select_one(".cell_input span[class]")
    assert magic.get_text().strip() == "%check one" and magic["class"] == ["cp"]
    assert parse(page).select_one(".cell_input .kn").get_text() == "import"
    assert parse(page).select_one(".output.traceback").get_text().strip() == "E: no <way>"
    assert parse(book / "LICENSE.html").select_one("article pre").get_text() == "Do as you like.\n"


def test_dead_links_are_errors(build: Build, course: Course, tmp_path: Path) -> None:
    dead = [
        "nowhere.ipynb",
        "../nowhere.py",
        "../../outside.py",
        "../../outside.png",
        "../book",
        "#Nothing",
        "../README.md#nothing",
        "no.png",
    ]
    for name in ("outside.py", "outside.png"):
        (tmp_path / name).touch()
    course.notebook("\n\n".join(f"[words]({link})" for link in dead[:-1]) + f"\n\n![words]({dead[-1]})")
    built = build(course.root, tmp_path)
    assert built.returncode != 0
    warnings = built.stderr.splitlines()
    for link in dead:
        name = link.rpartition("/")[2].partition("#")
        assert any((name[2] or name[0]).lower() in each.lower() for each in warnings), f"{link}: {built.stderr}"
    assert len([each for each in warnings if "00_small.ipynb" in each]) == len(dead), built.stderr


def test_an_address_gives_pages_a_button(build: Build, course: Course, tmp_path: Path) -> None:
    settings = course.root / "book" / "conf.py"
    text = settings.read_text(encoding="utf-8")
    assert 'ADDRESS = ""' in text
    settings.write_text(
        text.replace('ADDRESS = ""', 'ADDRESS = "https://github.com/somebody/course"'), encoding="utf-8"
    )
    built = build(course.root, tmp_path)
    assert built.returncode == 0, built.stderr
    outside = {address(link) for _, link in select(tmp_path / "html", "a[href]") if is_outside(address(link))}
    assert outside == {"https://github.com/somebody/course"}


def test_a_run_is_shown_and_changes_no_notebook(build: Build, course: Course, tmp_path: Path) -> None:
    course.notebook("", code("print(6 * 7)"))
    before = course.path.read_bytes()
    run(course.path, tmp_path / "run" / "notebooks" / course.path.name)
    assert course.path.read_bytes() == before
    built = build(course.root, tmp_path, "-D", f"outputs={tmp_path / 'run'}")
    assert built.returncode == 0, built.stderr
    shown = parse(tmp_path / "html" / "notebooks" / "00_small.html").select(".cell_output")
    assert [each.get_text().strip() for each in shown] == ["42"]


def test_only_what_is_built_is_ignored() -> None:
    for name in (".gitignore", ".dockerignore"):
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        assert [line.strip("/") for line in lines if line.strip("/").startswith("book")] == ["book/_build"]
