"""The book, made of the stored outputs: its links lead somewhere, it needs no network, and nothing is left out."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup, Tag
from nbformat import NotebookNode

from tools.book import build, page_of, prose, read, render
from tools.refresh import NOTEBOOKS, ROOT, code_cells

LOADS = "script, iframe, object, embed, video, audio, source, base, meta[http-equiv], link:not([href='data:,'])"

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


class Book:
    """The site in its folder, with each page parsed once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.pages = {page: parse(page) for page in sorted(self.folder.rglob("*.html"))}

    def of(self, path: Path) -> Tag:
        return self.pages[self.folder / page_of(path)]

    def all(self, selector: str) -> list[tuple[Path, Tag]]:
        return [(page, element) for page, soup in self.pages.items() for element in soup.select(selector)]


def parse(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    folder = tmp_path_factory.mktemp("book")
    build(folder, {path: read(path, run=False) for path in NOTEBOOKS})
    return Book(folder)


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.name)
def stored(request: pytest.FixtureRequest) -> tuple[Path, NotebookNode]:
    return request.param, nbformat.read(request.param, as_version=4)


def address(element: Tag) -> str:
    return element.get("href") or element.get("src") or ""


def words(text: str) -> str:
    return " ".join(text.split())


def test_every_link_and_anchor_leads_somewhere(book: Book) -> None:
    dead, followed = [], 0
    for page, element in book.all("[href], [src]"):
        url = urlsplit(address(element))
        if url.scheme or url.netloc:
            continue
        followed += 1
        target = (page.parent / unquote(url.path)).resolve() if url.path else page
        inside = target.is_file() and target.is_relative_to(book.folder)
        if not inside or url.fragment and book.pages[target].find(id=url.fragment) is None:
            dead.append(f"{page.name}: {address(element)}")
    assert not dead
    assert followed > 20 * len(NOTEBOOKS)  # the list of notebooks alone has as many


def test_no_page_names_an_anchor_twice(book: Book) -> None:
    for page in book.pages:
        anchors = [element["id"] for element in book.pages[page].select("[id]")]
        assert len(anchors) == len(set(anchors)), page.name


def test_every_page_lists_the_notebooks_in_order(book: Book) -> None:
    for page, soup in book.pages.items():
        listed = [(page.parent / link["href"]).resolve() for link in soup.select("nav > ol > li > a")]
        assert listed == [book.folder / page_of(path) for path in NOTEBOOKS], page.name


@every_notebook
def test_before_all_and_next(book: Book, path: Path) -> None:
    here = NOTEBOOKS.index(path)
    expected = {
        "prev": [page_of(each) for each in NOTEBOOKS[max(here - 1, 0) : here]],
        "contents": [Path("index.html")],
        "next": [page_of(each) for each in NOTEBOOKS[here + 1 : here + 2]],
    }
    for rel, pages in expected.items():
        links = [urlsplit(link["href"]).path for link in book.of(path).select(f"footer a[rel={rel}]")]
        folder = (book.folder / page_of(path)).parent
        assert [(folder / link).resolve() for link in links] == [book.folder / page for page in pages], rel
    current = book.of(path).select("nav [aria-current=page]")
    assert [link.get_text() for link in current] == [book.of(path).h1.get_text()]


def test_links_between_notebooks_stay_in_the_book(book: Book) -> None:
    assert not [address(link) for _, link in book.all("a[href]") if urlsplit(address(link)).path.endswith(".ipynb")]


def test_nothing_is_loaded_from_outside(book: Book) -> None:
    styles = [(page, link) for page, link in book.all("link[rel=stylesheet]")]
    assert len(styles) == len(book.pages)
    assert not [(page.name, str(each)[:99]) for page, each in book.all(LOADS) if (page, each) not in styles]
    # Styles and pictures are in the book or in the page itself; only what the reader clicks leads out.
    for page, element in book.all("[src], link[href]"):
        url = urlsplit(address(element))
        assert url.scheme in ("", "data") and not url.netloc, f"{page.name}: {address(element)[:99]}"
    css = (book.folder / "style.css").read_text(encoding="utf-8")
    css += "".join(element.get("style") or element.get_text() for _, element in book.all("[style], style"))
    assert not re.search(r"url\(|@import|//", css)
    assert not book.all("[srcset], [onload], [onclick], [onerror]")


def test_links_to_the_web_are_well_formed(book: Book) -> None:
    """Their form only: no test needs the network."""
    outside = {address(link) for _, link in book.all("a[href]") if urlsplit(address(link)).scheme}
    assert outside
    for link in outside:
        url = urlsplit(link)
        assert url.scheme == "https", link
        assert re.fullmatch(r"([a-z0-9-]+\.)+[a-z]{2,}", url.netloc), link
        assert re.fullmatch(r"[\w\-./:#?=&%~+]+[\w/]", link), link


def test_every_picture_has_words(book: Book) -> None:
    for page, image in book.all("img"):
        alt = image.get("alt")
        assert alt is not None and not alt.startswith("<"), f"{page.name}: {str(image)[-99:]}"
        # Beside a face of the timeline stands the name: read aloud, it would be heard twice.
        beside = image.find_parent(class_="html") and image.parent.get_text().strip()
        assert alt.strip() or beside, f"{page.name}: a picture without words"
        assert "No description" not in alt, page.name  # what nbconvert writes where there is none


def test_solutions_are_folded_and_nothing_else(book: Book, stored: tuple[Path, NotebookNode]) -> None:
    path, notebook = stored
    solutions = [c.source for c in code_cells(notebook) if "solution" in c.metadata.get("tags", [])]
    folded = book.of(path).select("details")
    assert [words(each.select_one(".highlight").get_text()) for each in folded] == [words(s) for s in solutions]
    assert not [each for each in folded if each.has_attr("open")]
    assert all(each.summary.get_text() == "A solution" for each in folded)


def test_all_code_and_all_outputs_are_shown(book: Book, stored: tuple[Path, NotebookNode]) -> None:
    path, notebook = stored
    cells = book.of(path).select("main > .cell")
    for cell, shown in zip(code_cells(notebook), cells, strict=True):
        text = words(shown.get_text())
        assert words(cell.source) in text
        figures = 0
        for output in cell.outputs:
            data = output.get("data", {})
            figures += "image/png" in data
            if "text/html" in data:
                assert words(BeautifulSoup(data["text/html"], "html.parser").get_text()) in text
            elif "image/png" not in data:
                assert words(output.get("text") or data.get("text/plain") or output.get("evalue")) in text
        assert len(shown.select("figure > img")) == figures


def test_errors_are_shown_as_such() -> None:
    cell = nbformat.v4.new_code_cell("1 / 0")
    cell.outputs = [nbformat.v4.new_output("error", ename="E", evalue="no <way>", traceback=["E: \x1b[31mno <way>"])]
    notebook = prose("# A title")
    notebook.cells.append(cell)
    page, _ = render(NOTEBOOKS[0], notebook, {NOTEBOOKS[0]: "A title"})
    assert BeautifulSoup(page, "html.parser").select_one("pre.error").get_text().strip() == "E: no <way>"


@pytest.mark.parametrize("link", ["nowhere.ipynb", "../nowhere.py", "../../outside.py", "../lab"])
def test_a_dead_link_stops_the_build(tmp_path: Path, link: str) -> None:
    with pytest.raises(ValueError, match=re.escape(link)):
        build(tmp_path, {ROOT / "notebooks" / "00_dead.ipynb": prose(f"# Dead\n\nIt leads [nowhere]({link}).")})
