"""The course in JupyterLab, as a learner has it after `make lab`: a real server, a real browser.

The file takes about two minutes, half of them the run of notebook 05. Its last test is short: pytest-xdist gives
the worker that runs it another file to do next.
"""

import re
import runpy
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import Response

from tests.browser.conftest import ROOT
from tests.browser.jupyterlab import FIRST, JupyterLab
from tests.browser.reader import NOTEBOOK, Cell, Frame, Reader

FIVE = "05_timeline_in_parallel.ipynb"
LOOP, TASKS = "One call after the other", "Five tasks on five processes"  # what its first lanes are called
fingerprint = runpy.run_path(str(ROOT / "jupyter" / "my_notebooks.py"))["fingerprint"]
LIGHT, DARK = "JupyterLab Light", "JupyterLab Dark"


def check_all_ran(cells: list[Cell]) -> None:
    """Every cell was run once, in order, none with an error, and every picture is drawn."""
    assert not [error for cell in cells for error in cell.errors]
    assert not [cell.text for cell in cells if "Traceback" in cell.text]
    assert [cell.count for cell in cells] == list(range(1, len(cells) + 1))
    widths = [width for cell in cells for width in cell.pictures]
    assert widths and min(widths) > 0, widths


def check_grew(frames: list[Frame], bars: int) -> None:
    """The lanes were seen to grow: wider bars, or more of them, until so many were there."""
    assert len(frames) >= 3, frames
    for one, next_one in pairwise(frames):
        assert one.seconds <= next_one.seconds and one.bars <= next_one.bars, frames
    assert frames[0].width < frames[-1].width and frames[-1].bars == bars, frames


def check_workspace(reader: Reader, notebooks: list[str]) -> None:
    """Notebook 00 is open and nothing else; beside it the folder of the notebooks; no dialog, no notice."""
    page = reader.page
    assert page.locator("#jp-main-dock-panel .lm-TabBar-tabLabel").all_inner_texts() == [FIRST]
    names = [name.strip() for name in page.locator(".jp-DirListing-itemName").all_inner_texts()]
    assert [name for name in names if name.endswith(".ipynb")] == notebooks
    for clutter in (".jp-Dialog", ".jp-Launcher", ".Toastify__toast", "#jp-right-stack", "#jp-down-stack"):
        assert page.locator(clutter).filter(visible=True).count() == 0, clutter


def check_fits(reader: Reader) -> None:
    """No output is wider than its cell."""
    edges = reader.page.evaluate(
        """notebook => [...document.querySelectorAll(`${notebook} .jp-OutputArea-output`)].flatMap(output =>
            [...output.querySelectorAll('img, div, table')].map(
                part => [part.getBoundingClientRect().right, output.getBoundingClientRect().right]))""",
        NOTEBOOK,
    )
    assert edges and all(part <= output + 1 for part, output in edges), edges


def check_contrast(reader: Reader) -> None:
    """Text in pages that a cell shows stands out from what is behind it: 4.5 to 1, as WCAG 2 (1.4.3) asks for."""
    ratios = reader.page.evaluate(
        """notebook => {
            const numbers = colour => colour.match(/[0-9.]+/g).map(Number);
            const light = colour => numbers(colour).slice(0, 3).map(part => part / 255).map(
                part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
            ).reduce((sum, part, which) => sum + part * [0.2126, 0.7152, 0.0722][which], 0);
            const behind = part => {
                const colour = getComputedStyle(part).backgroundColor;
                return numbers(colour)[3] === 0 ? behind(part.parentElement) : colour;
            };
            const hasText = part => [...part.childNodes].some(node => node.nodeType === 3 && node.data.trim());
            const parts = [...document.querySelectorAll(`${notebook} .jp-RenderedHTML.jp-OutputArea-output *`)];
            return parts.filter(hasText).map(part => {
                const [low, high] = [getComputedStyle(part).color, behind(part)].map(light).sort((a, b) => a - b);
                return [part.textContent, (high + 0.05) / (low + 0.05)];
            });
        }""",
        NOTEBOOK,
    )
    assert ratios and not [(text, ratio) for text, ratio in ratios if ratio < 4.5]


def stores_layout(answer: Response, *, with_notebook: str) -> bool:
    """Whether JupyterLab has stored a layout in which this notebook is open."""
    request = answer.request
    return request.method == "PUT" and "/api/workspaces/" in request.url and with_notebook in (request.post_data or "")


def names_of_notebooks(course: Path) -> list[str]:
    return sorted(path.name for path in (course / "notebooks").glob("*.ipynb"))


def test_workspace_has_the_first_notebook_open_and_lists_them_all(
    jupyterlab: JupyterLab, open_reader: Callable[..., Reader], course: Path
) -> None:
    reader = open_reader(jupyterlab)
    check_workspace(reader, names_of_notebooks(course))
    assert reader.page.locator(".jp-mod-dirty").count() == 0
    reader.screenshot(f"00 {LIGHT}")
    reader.choose_theme(DARK)
    reader.screenshot(f"00 {DARK}")
    reader.choose_theme(LIGHT)


def test_05_runs_after_an_interrupt_and_a_restart(reader: Reader) -> None:
    reader.choose_theme(DARK)
    reader.open(FIVE)
    assert not [cell.text for cell in reader.cells() if cell.text]
    reader.run_all()
    reader.wait_for_frame(LOOP, bars=2)
    reader.look(LOOP, f"05 live lanes {DARK}")
    reader.choose_theme(LIGHT)
    reader.look(LOOP, f"05 live lanes {LIGHT}")
    reader.interrupt()
    stopped = reader.wait_for_end()
    errors = [error for cell in stopped for error in cell.errors]
    assert len(errors) == 1 and errors[0].startswith("KeyboardInterrupt: the cell was stopped in its line "), errors
    assert stopped[-1].count is None

    # The services did not hear the interrupt: the next cells find their worker.
    reader.clear()
    reader.run("fetch_url.delay(urls[0])")
    reader.wait_for_text("AsyncResult after")
    reader.run("print(ticket.state")
    reader.wait_for_text("SUCCESS with 25 photos")

    reader.restart()
    reader.run_all()
    check_all_ran(reader.wait_for_end())
    check_grew(reader.frames(LOOP), bars=5)
    check_grew(reader.frames(TASKS), bars=5)
    for theme in (DARK, LIGHT):
        reader.choose_theme(theme)
        look_at_pictures(reader, theme)
        check_contrast(reader)
    reader.narrow()
    look_at_pictures(reader, "narrow")
    check_fits(reader)


def look_at_pictures(reader: Reader, name: str) -> None:
    for source in ("draw_lanes", "draw_staircase", "timeline_page"):
        reader.look(source, f"05 {source} {name}")


def test_00_runs_again_after_a_restart_in_its_middle_and_its_services_end_with_it(
    reader: Reader, jupyterlab: JupyterLab
) -> None:
    others = set(jupyterlab.workers())  # of notebooks that are open in other pages
    reader.run_all()
    reader.wait_for_text("sent after")  # the next cells start a worker, and wait for its answer
    reader.restart()
    reader.run_all()
    check_all_ran(reader.wait_for_end())
    reader.narrow()
    reader.look("draw_overview", "00 narrow")
    check_fits(reader)
    assert set(jupyterlab.workers()) - others
    reader.close_notebook()
    deadline = time.monotonic() + 30
    while set(jupyterlab.workers()) - others and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not set(jupyterlab.workers()) - others


def test_opening_and_solving_leave_the_courses_notebooks_alone(
    reader: Reader, jupyterlab: JupyterLab, course: Path
) -> None:
    copies = course / "my_notebooks"
    before = {path: path.read_bytes() for path in (course / "notebooks").glob("*.ipynb")}
    unsolved = fingerprint(copies / FIRST)
    reader.save()  # as JupyterLab does by itself after two minutes
    assert fingerprint(copies / FIRST) == unsolved == fingerprint(course / "notebooks" / FIRST)
    reader.clear()
    reader.run("%check")
    reader.wait_for_text("Run the first cell of this notebook first")
    reader.run_all()
    reader.wait_for_end()
    reader.write("seconds = 0", "seconds = 6")
    reader.run("seconds = 6")
    reader.run("%check")
    reader.wait_for_text("Right.")
    reader.save()
    assert "seconds = 6" in (copies / FIRST).read_text()

    # One that a link leads to, such as those of the README.
    reader.follow(re.sub("/tree/.*[?]", f"/tree/notebooks/{FIVE}?", jupyterlab.url), FIVE)
    reader.choose_theme(DARK)
    reader.look("timeline_page", "05 as stored")
    check_contrast(reader)
    reader.choose_theme(LIGHT)
    reader.write("import sys", "mine = 1")
    reader.page.keyboard.press("Control+s")
    reader.page.get_by_text("is read-only").first.wait_for()
    reader.screenshot("05 of the course, read-only")
    assert before == {path: path.read_bytes() for path in (course / "notebooks").glob("*.ipynb")}


def test_next_start_shows_the_same_whatever_was_open(
    jupyterlab: JupyterLab,
    start_jupyterlab: Callable[[], JupyterLab],
    open_reader: Callable[..., Reader],
    course: Path,
) -> None:
    before = open_reader(jupyterlab)
    with before.page.expect_response(lambda answer: stores_layout(answer, with_notebook=FIVE)):
        before.open(FIVE)
    before.close()  # an open page would store its layout with the next JupyterLab
    solved = (course / "my_notebooks" / FIRST).read_bytes()
    jupyterlab.end()
    check_workspace(open_reader(start_jupyterlab()), names_of_notebooks(course))
    assert (course / "my_notebooks" / FIRST).read_bytes() == solved
