"""The book as a reader has it: opened from its folder, searched, on a phone, in the dark and on paper."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.book.pages import page_of, pages
from tools.course import NOTEBOOKS

DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
PAPER, MARGINS = {"width": 718, "height": 1047}, dict.fromkeys(("top", "right", "bottom", "left"), "1cm")  # A4
SOUGHT = "visibility timeout"

# What is wider than the screen, or is cut or scrolled sideways to fit it. Code and tables may be scrolled.
TOO_WIDE = """() => {
    const scrollers = "pre, .pst-scrollable-table-container";
    const seen = [...document.querySelectorAll("body, main, main *")]
        .filter((each) => each.checkVisibility({visibilityProperty: true}));
    const sticksOut = (each) => each.getBoundingClientRect().right > innerWidth + 1;
    const scrolls = (each) => each.scrollWidth > each.clientWidth + 1
        && ["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(each).overflowX)
        && !each.matches(".visually-hidden, .sr-only");
    const wide = seen.filter((each) => !each.closest(scrollers) && (sticksOut(each) || scrolls(each)));
    return [document.documentElement.scrollWidth > innerWidth ? "the page" : "", ...wide.map((each) => each.outerHTML)]
        .filter(Boolean).map((each) => each.slice(0, 200));
}"""

# Pictures that did not come, or not in their own proportions.
SPOILT = """async () => {
    const pictures = [...document.querySelectorAll("article img")];
    await Promise.all(pictures.map((each) => { each.loading = "eager"; return each.decode().catch(() => null); }));
    const spoilt = (each) => !each.naturalWidth || each.checkVisibility()
        && Math.abs(each.width / each.height / (each.naturalWidth / each.naturalHeight) - 1) > 0.05;
    return pictures.filter(spoilt).map((each) => each.outerHTML.slice(0, 200));
}"""

# What is cut on paper.
CUT = """() => [...document.querySelectorAll("main, main *")]
    .filter((each) => each.checkVisibility() && !each.matches(".visually-hidden, .sr-only") && (
        each.getBoundingClientRect().right > innerWidth + 1
        || getComputedStyle(each).overflow !== "visible"
            && (each.scrollWidth > each.clientWidth + 1 || each.scrollHeight > each.clientHeight + 1)))
    .map((each) => each.outerHTML.slice(0, 200))"""

# Where the text ends, whatever it is cut to.
BOTTOM = "Math.max(...[...document.querySelectorAll('main *')].map((each) => each.getBoundingClientRect().bottom))"

# Notes what a page is when it is printed, after its own preparations.
WATCH_PRINT = """() => addEventListener("beforeprint", () => {
    window.printed = {
        theme: document.documentElement.dataset.theme,
    };
})"""


class Reader:
    """A browser window, with all that went wrong in it."""

    def __init__(self, page: Page, book: Path) -> None:
        self.page, self.book = page, book
        self.complaints: list[str] = []
        page.on("request", lambda request: self.note_outside(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))

    def note_outside(self, url: str) -> None:
        if urlsplit(url).scheme not in {"file", "data", "blob"}:
            self.complaints.append(f"asked for {url}")

    def open(self, page: Path) -> Page:
        self.page.goto(page.as_uri())
        return self.page


@pytest.fixture
def open_reader(browser: Browser, book: Path) -> Iterator[Callable[..., Reader]]:
    contexts = []

    def open_window(viewport: dict[str, int], **options: str) -> Reader:
        contexts.append(browser.new_context(viewport=viewport, **options))
        return Reader(contexts[-1].new_page(), book)

    yield open_window
    for context in contexts:
        context.close()


def headings_with(words: str) -> list[tuple[Path, str]]:
    found = []
    for path in NOTEBOOKS:
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                lines = re.findall(rf"^##+ (.*{words}.*)$", cell.source, re.MULTILINE | re.IGNORECASE)
                found += [(path, line) for line in lines]
    return found


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_search_leads_to_a_heading(open_reader: Callable[..., Reader], book: Path, viewport: dict[str, int]) -> None:
    [(path, heading), *_] = headings_with(SOUGHT)
    page = open_reader(viewport).open(book / "index.html")
    page.locator(".search-button, .search-button-field").locator("visible=true").first.click()
    page.locator("dialog[open] input[name=q]").fill(SOUGHT)
    page.keyboard.press("Enter")
    expect(page.locator(".search-summary")).to_contain_text("Search finished")
    hits = page.locator("ul.search li a")
    expect(hits.first).to_have_text(heading)
    hits.first.click()
    page.wait_for_url(lambda url: url.startswith(page_of(book, path).as_uri()))
    place = page.locator(f"[id='{unquote(urlsplit(page.url).fragment)}'] > :is(h2, h3)")
    expect(place).to_contain_text(heading)
    expect(place).to_be_in_viewport()


def test_search_finds_words_of_the_text(open_reader: Callable[..., Reader], book: Path) -> None:
    page = open_reader(DESK).open(book / "search.html")
    page.goto(f"{page.url}?q=reject_on_worker_lost")
    expect(page.locator(".search-summary")).to_contain_text("Search finished")
    assert page.locator("ul.search li").count()


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"])
def test_every_page_fits_the_screen(
    open_reader: Callable[..., Reader], book: Path, screenshots: Path, viewport: dict[str, int], scheme: str
) -> None:
    reader = open_reader(viewport, color_scheme=scheme)
    for path in pages(book):
        page = reader.open(path)
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert not page.evaluate(SPOILT), path.name
        assert not page.evaluate(TOO_WIDE), path.name
        page.screenshot(path=screenshots / f"book, {viewport['width']}, {scheme}, {path.stem}.png")
    assert not reader.complaints


def test_on_a_phone_the_lists_are_a_touch_away(open_reader: Callable[..., Reader], book: Path) -> None:
    page = open_reader(PHONE, has_touch=True).open(page_of(book, NOTEBOOKS[0]))
    notebook = page.locator(".bd-sidebar-primary li > a").last
    section = page.locator(".bd-sidebar-secondary li > a").last
    expect(notebook).not_to_be_in_viewport()
    expect(section).not_to_be_in_viewport()
    page.locator(".secondary-toggle").locator("visible=true").tap()
    section.tap()
    expect(page.locator("article h2").last).to_be_in_viewport()
    page.locator(".primary-toggle").locator("visible=true").tap()
    notebook.tap()
    page.wait_for_url(page_of(book, NOTEBOOKS[-1]).as_uri())


def test_dark_mode(open_reader: Callable[..., Reader], book: Path) -> None:
    def brightness(page: Page, selector: str, colour: str) -> float:
        value = page.locator(selector).first.evaluate(f"each => getComputedStyle(each).{colour}")
        return sum(float(each) for each in re.findall(r"[\d.]+", value)[:3]) / 3

    for scheme in ("light", "dark"):
        page = open_reader(DESK, color_scheme=scheme).open(page_of(book, NOTEBOOKS[0]))
        for selector, background in (("article p", "body"), (".cell_input .n", ".cell_input pre")):
            difference = brightness(page, selector, "color") - brightness(page, background, "backgroundColor")
            assert difference > 100 if scheme == "dark" else difference < -100, selector
    page.get_by_label("Color mode").locator("visible=true").click()
    page.get_by_role("button", name="Light").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert brightness(page, "body", "backgroundColor") > 200


def test_every_page_prints_whole(open_reader: Callable[..., Reader], book: Path, screenshots: Path) -> None:
    reader = open_reader(PAPER, color_scheme="dark")
    for path in pages(book):
        page = reader.open(path)
        page.evaluate(WATCH_PRINT)
        pdf = page.pdf(path=screenshots / f"book, on paper, {path.stem}.pdf", format="A4", margin=MARGINS)
        assert page.evaluate("window.printed") == {"theme": "light"}, path.name
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")  # as it was

        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert not page.evaluate(CUT), path.name
        expect(page.locator(".bd-sidebar-primary, .bd-sidebar-secondary").locator("visible=true")).to_have_count(0)
        height = page.evaluate(BOTTOM)
        sheets = len(re.findall(rb"/Type\s*/Page\b", pdf))
        assert sheets >= height / PAPER["height"] * 0.9, path.name
        page.emulate_media(media="null")  # no emulation: the next page prints as paper, not as a screen
    assert not reader.complaints
