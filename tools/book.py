"""Render the notebooks to one static site that needs no server: open book/index.html, or print its pages.

    python -m tools.book           # run every notebook, show what it showed; the notebooks stay as they are
    python -m tools.book --stored  # run nothing, show the outputs that the notebooks store

The site has the folders of the repository, so that a relative link leads from page to page as it does from file to
file. README.md becomes index.html, `X.ipynb` becomes `X.html`, and any other file that is linked gets a page of its
text (`tasks.py.html`) or, if it is a picture, is copied.
"""

import argparse
import os
import re
import shutil
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import inherit
from pygments.lexers import PythonLexer
from pygments.token import Comment

from tools.refresh import NOTEBOOKS, ROOT, execute, normalize

BOOK = ROOT / "book"
README = ROOT / "README.md"
TEMPLATE = ROOT / "tools" / "book_template"
PICTURES = {".png", ".jpg", ".svg"}
FENCE = "~" * 6  # no file that is shown holds it


def page_of(path: Path) -> Path:
    """Where a file of the repository is found in the site, relative to the site's folder."""
    path = path.relative_to(ROOT)
    if path.name == README.name:
        return path.with_name("index.html")
    if path.suffix == ".ipynb":
        return path.with_suffix(".html")
    return path if path.suffix in PICTURES else path.with_name(f"{path.name}.html")


def link(here: Path, there: Path) -> str:
    """The relative link from the page of one file to the page of another."""
    return Path(os.path.relpath(page_of(there), page_of(here).parent)).as_posix()


def prose(text: str) -> NotebookNode:
    """A page of text alone, in Markdown."""
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])


def listing(path: Path) -> NotebookNode:
    """A page that shows a file as it is."""
    language = "python" if path.suffix == ".py" else "text"
    name, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    return prose(f"# {name}\n\n{FENCE}{language}\n{text}\n{FENCE}")


def title(notebook: NotebookNode) -> str:
    """The words of the heading that every notebook begins with."""
    return notebook.cells[0].source.partition("\n")[0].removeprefix("# ").replace("`", "")


def name_headings(soup: BeautifulSoup) -> None:
    """Give each heading the anchor that GitHub gives it: `README.md#the-notebooks` leads to the same place here."""
    seen: Counter[str] = Counter()
    for heading in soup.select("main :is(h1, h2, h3, h4)"):
        anchor = re.sub(r"[^\w\- ]", "", heading.get_text().strip().lower()).replace(" ", "-")
        heading["id"] = f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor
        seen[anchor] += 1


def lead_links_to_pages(soup: BeautifulSoup, path: Path) -> set[Path]:
    """Turn links to files of the repository into links to their pages.

    Returns the files. Raises ValueError for a link that leads to none.
    """
    files = set()
    for element in soup.select("main a[href], main img[src]"):
        attribute = "href" if element.name == "a" else "src"
        url = urlsplit(str(element[attribute]))
        if url.scheme or url.netloc or not url.path or element.find_parent("footer"):  # the template's own links
            continue
        file = (path.parent / unquote(url.path)).resolve()
        if not file.is_file() or not file.is_relative_to(ROOT):
            raise ValueError(f"{path.name}: the link to {element[attribute]} leads to no file of the repository")
        files.add(file)
        element[attribute] = link(path, file) + (f"#{url.fragment}" if url.fragment else "")
    return files


def list_sections(soup: BeautifulSoup) -> None:
    """Under the current notebook's name in the list of notebooks, list its sections."""
    if here := soup.select_one("nav [aria-current]"):
        sections = soup.new_tag("ul")
        for heading in soup.select("main h2"):
            entry = soup.new_tag("a", href=f"#{heading['id']}")
            entry.string = heading.get_text()
            item = soup.new_tag("li")
            item.append(entry)
            sections.append(item)
        here.insert_after(sections)


class CellLexer(PythonLexer):
    """Python under a first line like `%%check …`. (The lexer that comes with IPython leaves such a cell uncoloured.)"""

    tokens = {"root": [(r"^%%.*\n", Comment.Preproc), inherit]}


def highlight_cell(source: str, **_: object) -> str:
    return highlight(source, CellLexer(), HtmlFormatter())


@cache
def exporter() -> HTMLExporter:
    return HTMLExporter(
        template_name=TEMPLATE.name,
        extra_template_basedirs=[str(TEMPLATE.parent)],
        exclude_anchor_links=True,
        filters={"highlight_code": highlight_cell},
    )


def render(path: Path, notebook: NotebookNode, titles: dict[Path, str]) -> tuple[str, set[Path]]:
    """The page of one file, and the files that it links to. `titles` names the notebooks, in their order."""
    entries = {each: {"href": link(path, each), "title": words} for each, words in titles.items()}
    order = list(titles)
    at = order.index(path) if path in order else None
    page = {
        "book": title(prose(README.read_text(encoding="utf-8"))),
        "title": title(notebook),
        "top": "../" * (len(page_of(path).parts) - 1),
        "notebooks": list(entries.values()),
        "here": entries[path]["href"] if at is not None else "",
        "before": entries[order[at - 1]] if at else None,
        "next": entries[order[at + 1]] if at is not None and at + 1 < len(order) else None,
    }
    soup = BeautifulSoup(exporter().from_notebook_node(notebook, {"page": page})[0], "html.parser")
    name_headings(soup)
    list_sections(soup)
    files = lead_links_to_pages(soup, path)
    return str(soup), files


def code_colours(name: str) -> str:
    """The rules of a Pygments style, those for whole listings left out: they are in style.css."""
    rules = HtmlFormatter(style=name).get_style_defs(".highlight").splitlines()
    return "\n".join(rule for rule in rules if rule.startswith(".highlight ."))


def style() -> str:
    """The style sheet, with the colours of code for light and for dark screens."""
    light, dark = code_colours("default"), code_colours("github-dark")
    own = (TEMPLATE / "style.css").read_text(encoding="utf-8")
    return f"{own}\n{light}\n\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


def build(folder: Path, notebooks: dict[Path, NotebookNode]) -> None:
    """Write the site into a folder: the README, these notebooks, and the files that they link to.

    Raises ValueError where a link leads to no file of the repository.
    """
    titles = {path: title(notebook) for path, notebook in notebooks.items()}
    sources = {README: prose(README.read_text(encoding="utf-8")), **notebooks}
    linked: set[Path] = set()
    for path, notebook in sources.items():
        linked |= write(folder, path, notebook, titles)
    for path in sorted(linked - set(sources)):
        if path.suffix in PICTURES:
            picture = folder / page_of(path)
            picture.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, picture)
        else:
            write(folder, path, listing(path), titles)
    (folder / "style.css").write_text(style(), encoding="utf-8")


def write(folder: Path, path: Path, notebook: NotebookNode, titles: dict[Path, str]) -> set[Path]:
    """Write the page of one file. Returns the files that it links to."""
    text, files = render(path, notebook, titles)
    page = folder / page_of(path)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, encoding="utf-8")
    return files


def read(path: Path, run: bool) -> NotebookNode:
    """A notebook with the outputs that it stores, or with those of a run now."""
    notebook = nbformat.read(path, as_version=4)
    if run:
        print(path.name, flush=True)
        execute(path, notebook)
        normalize(notebook)
    return notebook


def main() -> None:
    parser = argparse.ArgumentParser(description="Render the notebooks to one static site, book/index.html.")
    parser.add_argument("--stored", action="store_true", help="run nothing, show the stored outputs")
    arguments = parser.parse_args()
    os.environ["LAB_LIVE"] = "0"  # the last frame of a moving picture is the one to show
    notebooks = {path: read(path, run=not arguments.stored) for path in NOTEBOOKS}
    fresh = BOOK.with_suffix(".tmp")  # a build that fails leaves the last book in place
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        build(fresh, notebooks)
    except ValueError as error:
        sys.exit(str(error))
    shutil.rmtree(BOOK, ignore_errors=True)
    fresh.rename(BOOK)
    print(f"{BOOK.relative_to(ROOT)}/index.html: open it in a browser")


if __name__ == "__main__":
    main()
