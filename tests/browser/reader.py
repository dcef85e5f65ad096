"""Somebody who sits before JupyterLab, clicks, and looks at what it shows."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, Response
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.browser.jupyterlab import DEADLINE_SECONDS

RUN_ALL_SECONDS = 300  # for a notebook that takes one minute
NOTEBOOK = ".jp-NotebookPanel:not(.lm-mod-hidden)"

# What JupyterLab says of itself, with --expose-app-in-browser. The indicator that it shows calls a kernel idle which
# is not connected yet, and what a reader then runs is lost.
IS_CONNECTED = """name => {
    const shown = window.jupyterapp?.shell.currentWidget, kernel = shown?.sessionContext?.session?.kernel;
    return shown?.title.label === name && kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
}"""

# The code cells: what JupyterLab counts, and what it shows. It gives tracebacks the type of stderr too. A picture that
# is not drawn has a width of 0.
CELLS = """() => (jupyterapp.shell.currentWidget?.content?.widgets ?? [])
    .filter(cell => cell.model.type === 'code').map(cell => {
    const outputs = [...cell.node.querySelectorAll('.jp-OutputArea-output')];
    return {
        count: cell.model.executionCount,
        waits: cell.model.executionState === 'running',
        text: outputs.map(output => output.textContent).join(''),
        errors: outputs.filter(output => output.dataset.mimeType.endsWith('.stderr')).map(output => output.textContent),
        pictures: outputs.flatMap(output => [...output.querySelectorAll('img')]).map(image => image.naturalWidth),
    };
})"""

IS_CLEAR = f"() => ({CELLS})().every(cell => !cell.count && !cell.waits && !cell.text)"
# An error leaves the cells after it as they were.
HAS_STOPPED = f"() => (cells => cells.some(cell => cell.errors.length) && !cells.some(cell => cell.waits))(({CELLS})())"
IS_OVER = f"() => ({HAS_STOPPED})() || (cells => cells.at(-1).count && !cells.some(cell => cell.waits))(({CELLS})())"

# Live lanes come and go between two looks, so the page itself keeps what each frame showed.
KEEP_FRAMES = """() => {
    window.frames = [];
    new MutationObserver(() => {
        for (const title of document.querySelectorAll('.jp-RenderedHTMLCommon > div > b')) {
            const [, name, seconds] = title.textContent.match(/^(.*): ([0-9.]+) s$/) ?? [];
            const spans = [...title.parentElement.querySelectorAll('span > span')];
            const bars = spans.filter(span => span.offsetHeight > 10);  // the thin ones are waits
            const frame = {name, seconds: Number(seconds), bars: bars.length,
                           width: bars.reduce((sum, bar) => sum + bar.offsetWidth, 0)};
            if (name && JSON.stringify(frame) !== JSON.stringify(window.frames.at(-1))) window.frames.push(frame);
        }
    }).observe(document.body, {childList: true, subtree: true});
}"""


@dataclass(frozen=True)
class Cell:
    """A code cell as it is shown."""

    count: int | None  # as the prompt says, None: not run
    waits: bool  # to be run, or for its end
    text: str  # of all its outputs
    errors: list[str]  # tracebacks, and what was written to stderr
    pictures: list[int]  # width of each in pixels, 0: not drawn


@dataclass(frozen=True)
class Frame:
    """One frame of live lanes."""

    name: str
    seconds: float  # since they began, as its title says
    bars: int
    width: int  # of all bars together, in pixels


def is_saved(answer: Response) -> bool:
    """Whether this answers a page that saves a notebook."""
    return answer.request.method == "PUT" and answer.request.url.partition("?")[0].endswith(".ipynb")


class Reader:
    """A page of JupyterLab. What waits raises `AssertionError` after its deadline, and says what it waited for."""

    def __init__(self, page: Page, screenshots: Path, log: Path) -> None:
        self.page, self._screenshots, self._log = page, screenshots, log
        page.set_default_timeout(1000 * DEADLINE_SECONDS)

    # The whole window

    def follow(self, url: str, name: str) -> None:
        """Follow a link of this JupyterLab to the notebook of that name, until it has a kernel."""
        self.page.goto(url)
        self._wait_for_notebook(name)
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")

    def close(self) -> None:
        self.page.context.close()

    def open(self, name: str) -> None:
        """Open a notebook by a double click in the list at the left."""
        self.page.locator(".jp-DirListing-item", has_text=name).dblclick()
        self._wait_for_notebook(name)

    def _wait_for_notebook(self, name: str) -> None:
        self.wait_until(IS_CONNECTED, name)
        self.page.locator(f"{NOTEBOOK} .jp-CodeCell").last.wait_for(state="attached")

    def choose(self, menu: str, entry: str) -> None:
        self.page.locator(".lm-MenuBar-item", has_text=re.compile(f"^{menu}$")).click()
        self.page.locator(".lm-Menu-item", has_text=re.compile(f"^{re.escape(entry)}")).click()

    def look(self, source: str, name: str) -> None:
        """Take a screenshot of what the code cell in which this stands has shown."""
        # Cells out of sight have an estimated height, so that the way there changes on the way.
        self.cell(source).locator(".jp-Cell-outputWrapper").evaluate(
            """async output => { for (let again = 0; again < 5; again++) {
                output.scrollIntoView({block: 'center'}); await new Promise(requestAnimationFrame); } }"""
        )
        self.screenshot(name)

    def narrow(self) -> None:
        """Half a small screen, as beside a terminal or another window."""
        self.page.set_viewport_size({"width": 640, "height": 800})

    def choose_theme(self, name: str) -> None:
        self.page.evaluate("name => jupyterapp.commands.execute('apputils:change-theme', {theme: name})", name)
        self.wait_until("name => document.body.dataset.jpThemeName === name", name)

    def screenshot(self, name: str) -> None:
        self.page.screenshot(path=self._screenshots / f"{name}.png", animations="disabled")

    def wait_until(self, condition: str, argument: Any = None, *, seconds: float = DEADLINE_SECONDS) -> None:
        """Wait until this JavaScript function gives true."""
        try:
            self.page.wait_for_function(condition, arg=argument, timeout=1000 * seconds)
        except PlaywrightTimeout:
            log = self._log.read_text()[-2000:]
            raise AssertionError(
                f"This was not true within {seconds} s, with {argument!r}:\n{condition}\n"
                f"The cells: {self.cells()}\nJupyterLab's log ends:\n{log}"
            ) from None

    # Its notebook

    def clear(self) -> None:
        self.choose("Edit", "Clear Outputs of All Cells")
        self.wait_until(IS_CLEAR)

    def run_all(self) -> None:
        """Begin to run all cells. What was stored in them is gone before, so all that is seen is new."""
        self.clear()
        self.page.evaluate(KEEP_FRAMES)
        self.choose("Run", "Run All Cells")

    def wait_for_end(self) -> list[Cell]:
        """Wait until the last cell was run, or an error stopped the run before it."""
        self.wait_until(IS_OVER, seconds=RUN_ALL_SECONDS)
        return self.cells()

    def wait_for_text(self, text: str) -> None:
        """Wait until a cell has shown this. AssertionError: an error stopped the run before it."""
        self._wait_unless_stopped(f"text => ({CELLS})().some(cell => cell.text.includes(text))", text)

    def wait_for_frame(self, name: str, bars: int) -> None:
        """Wait until live lanes of that name have shown so many bars. AssertionError: an error came before them."""
        self._wait_unless_stopped(
            "([name, bars]) => window.frames.some(frame => frame.name === name && frame.bars >= bars)", [name, bars]
        )

    def _wait_unless_stopped(self, condition: str, argument: Any) -> None:
        self.wait_until(f"sought => ({condition})(sought) || ({HAS_STOPPED})()", argument)
        errors = [error for cell in self.cells() for error in cell.errors]
        assert self.page.evaluate(condition, argument), f"{argument!r} did not come; errors: {errors}"

    def interrupt(self) -> None:
        self.choose("Kernel", "Interrupt Kernel")

    def restart(self) -> None:
        """Restart the kernel and clear all outputs, until the new one is there."""
        self.choose("Kernel", "Restart Kernel and Clear Outputs of All Cells…")
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        self.wait_until(IS_CLEAR)
        self.wait_until(IS_CONNECTED, self.page.evaluate("jupyterapp.shell.currentWidget.title.label"))

    def run(self, source: str) -> None:
        """Begin to run the code cell in which this stands."""
        self.cell(source).locator(".jp-InputPrompt").click()
        self.page.keyboard.press("Control+Enter")

    def write(self, source: str, text: str) -> None:
        """Put this text in the place of the code cell in which `source` stands."""
        self.cell(source).locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)

    def save(self) -> None:
        """Save it, whether or not anything was changed, and wait until the server has it."""
        with self.page.expect_response(is_saved) as saved:
            self.page.keyboard.press("Control+s")
        assert saved.value.ok, saved.value

    def close_notebook(self) -> None:
        """Close its tab, and leave what was run unsaved."""
        self.choose("File", "Close Tab")
        self.page.locator(".jp-Dialog button", has_text="Discard").click()

    def cell(self, source: str) -> Locator:
        """The first code cell in which this stands."""
        number = self.page.evaluate(
            """source => jupyterapp.shell.currentWidget.content.widgets.findIndex(
                cell => cell.model.type === 'code' && cell.model.sharedModel.getSource().includes(source))""",
            source,
        )
        assert number >= 0, f"no code cell has {source!r} in it"
        return self.page.locator(f"{NOTEBOOK} .jp-Cell").nth(number)

    def cells(self) -> list[Cell]:
        return [Cell(**each) for each in self.page.evaluate(CELLS)]

    def frames(self, name: str) -> list[Frame]:
        """The frames of these live lanes, since all cells began to run."""
        return [Frame(**each) for each in self.page.evaluate("window.frames") if each["name"] == name]
