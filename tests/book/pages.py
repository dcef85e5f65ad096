"""The pages of a book as a test reads them."""

from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

from tools.course import ROOT


@cache
def parse(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def pages(book: Path) -> list[Path]:
    """All that a reader can come to."""
    return sorted(page for page in book.rglob("*.html") if "_static" not in page.parts)


def page_of(book: Path, notebook: Path) -> Path:
    return (book / notebook.relative_to(ROOT)).with_suffix(".html")


def select(book: Path, selector: str) -> list[tuple[Path, Tag]]:
    return [(page, element) for page in pages(book) for element in parse(page).select(selector)]


def address(element: Tag) -> str:
    return element.get("href") or element.get("src") or ""


def target(page: Path, link: str) -> Path:
    """The file that a link on a page leads to."""
    path = unquote(urlsplit(link).path)
    return (page.parent / path).resolve() if path else page


def is_outside(link: str) -> bool:
    url = urlsplit(link)
    return bool(url.scheme or url.netloc)


def dead_links(book: Path) -> list[str]:
    """The links, in all pages, that lead to no file of the book, or to no place in it."""
    dead = []
    for page, element in select(book, "[href], [src]"):
        link = address(element)
        if is_outside(link):
            continue
        file, place = target(page, link), urlsplit(link).fragment
        inside = file.is_file() and file.is_relative_to(book)
        if not inside or place and not parse(file).find(id=place):
            dead.append(f"{page.name}: {link}")
    return dead


def words(text: str) -> str:
    return " ".join(text.split())
