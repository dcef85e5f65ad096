"""Run the notebooks and store what they show, so that a git diff shows what truly changed.

    python -m tools.refresh                             # every notebook
    python -m tools.refresh notebooks/03_queueing.ipynb # these
    python -m tools.refresh --check                     # run nothing, name those not in normal form

While the code of a notebook is the same, an output that nbval calls equal to the stored one (same words,
another measured number) leaves the stored one in place, and so do pictures, which nbval doesn't compare.
--all stores every output of this run, as after a change of the drawing code: then the addresses in a notebook
agree, too. Once any code of the notebook has changed, all that it shows is new. To tell, its metadata holds a
digest of the code that made its outputs.
"""

import argparse
import hashlib
import os
import sys
from base64 import b64decode
from pathlib import Path
from subprocess import DEVNULL
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, NbvalKernelspecManager
from nbval.plugin import IPyNbCell, coalesce_streams, get_sanitize_patterns

from lab.basics import environment
from tools.course import NOTEBOOKS, ROOT

SANITIZE = ROOT / "tests" / "sanitize.cfg"
CELL_SECONDS = 120  # as under pytest
HEADLINE = ("05_timeline_in_parallel.ipynb", "Five calls, one wait")  # the picture that the README shows
HEADLINE_FILE = ROOT / "notebooks" / "five_calls_one_wait.png"
LANGUAGE = {  # the last two tell nbconvert how to make a script, with the text as comments, and how to colour a page
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
WIDGET = "application/vnd.jupyter.widget-view+json"

# What nbval leaves out of its comparison (`IPyNbFile.skip_compare`).
NOT_COMPARED = (
    *("metadata", "traceback", "prompt_number", "output_type", "name", "execution_count"),
    *(WIDGET, "image/png", "image/jpeg"),
)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def digest(notebook: NotebookNode) -> str:
    """A short fingerprint of all code in the notebook."""
    code = "\0".join(cell.source for cell in code_cells(notebook))
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def normalize(notebook: NotebookNode) -> None:
    """Take out what depends on the run, the editor or the machine, and nothing that a reader sees."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": LANGUAGE,
            "outputs_from": notebook.metadata.get("outputs_from", ""),
        }
    )
    for cell in notebook.cells:  # nbformat has already given each an id of its own
        cell.metadata = nbformat.from_dict({"tags": cell.metadata.tags} if cell.metadata.get("tags") else {})
    for number, cell in enumerate(code_cells(notebook), start=1):
        cell.execution_count = number
        cell.outputs = normal_outputs(cell.outputs, number)


def normal_outputs(outputs: list[NotebookNode], number: int) -> list[NotebookNode]:
    """Join what was printed in pieces, number the results, cut tracebacks to their last line."""
    normal: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream" and normal and normal[-1].get("name") == output.name:
            normal[-1].text += output.text
            continue
        if output.output_type == "execute_result":
            output.execution_count = number
        if output.output_type == "error":
            output.traceback = [f"{output.ename}: {output.evalue}"]
        if "data" in output:
            output.data.pop(WIDGET, None)  # it names a model that lived in that kernel
        normal.append(output)
    return normal


def equal(new: list[NotebookNode], stored: list[NotebookNode]) -> bool:
    """Whether nbval, with our sanitize file, calls these outputs equal.

    nbval compares only inside a cell that pytest has collected, so it gets something that looks like one.
    """
    patterns = dict(get_sanitize_patterns(SANITIZE.read_text(encoding="utf-8")))
    cell = SimpleNamespace(parent=SimpleNamespace(skip_compare=NOT_COMPARED, sanitize_patterns=patterns))
    cell.colors = SimpleNamespace(OKBLUE="", FAIL="", ENDC="")
    cell.sanitize = lambda text: IPyNbCell.sanitize(cell, text)
    cell.format_output_compare = lambda *_: None
    new, stored = (coalesce_streams(nbformat.from_dict(outputs)) for outputs in (new, stored))
    return IPyNbCell.compare_outputs(cell, new, stored)


def ignored(cell: NotebookNode) -> bool:
    return "nbval-ignore-output" in cell.metadata.get("tags", [])


def execute(path: Path, notebook: NotebookNode) -> None:
    """Run all cells with this Python, in the notebook's folder, in a kernel without anybody's settings.

    Exit on an error that no tag announces.
    """
    settings = environment.SETTINGS
    surroundings = {name: value for name, value in os.environ.items() if not settings.fullmatch(name)}
    specs = NbvalKernelspecManager()
    kernel = AsyncKernelManager(kernel_name=CURRENT_ENV_KERNEL_NAME, kernel_spec_manager=specs)
    client = NotebookClient(
        notebook,
        km=kernel,
        timeout=CELL_SECONDS,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    number = 0
    with (
        TemporaryDirectory(prefix="celery-course-ipython-") as profile,
        client.setup_kernel(
            cleanup_kc=True, env=surroundings | {"IPYTHONDIR": profile}, stdout=DEVNULL, stderr=DEVNULL
        ),
    ):
        for index, cell in enumerate(notebook.cells):
            number += cell.cell_type == "code"
            try:
                client.execute_cell(cell, index)
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                sys.exit(f"{path.name}, code cell {number}, left as it was:\n{error}")


def refresh(path: Path, every: bool = False) -> bool:
    """Run one notebook and store its outputs. True if the file changed."""
    before = path.read_text(encoding="utf-8")
    stored, new = (nbformat.reads(before, as_version=4) for _ in range(2))
    execute(path, new)
    same_code = stored.metadata.get("outputs_from") == digest(new)
    for cell, old in zip(code_cells(new), code_cells(stored), strict=True):
        keep = same_code and old.execution_count and not every
        if keep and (ignored(cell) or equal(cell.outputs, old.outputs)):
            cell.outputs = old.outputs
    new.metadata.outputs_from = digest(new)
    normalize(new)
    after = nbformat.writes(new) + "\n"
    if after != before:  # replace the file in one step
        temporary = path.with_suffix(".tmp")
        temporary.write_text(after, encoding="utf-8", newline="\n")
        temporary.replace(path)
    return after != before


def headline() -> bytes:
    """The PNG of the README's picture, as its notebook stores it."""
    name, title = HEADLINE
    notebook = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    data = [output.get("data", {}) for cell in code_cells(notebook) for output in cell.outputs]
    return b64decode(next(each["image/png"] for each in data if each.get("text/plain", "").startswith(title)))


def is_normal(path: Path) -> bool:
    """Whether the file is as `refresh` leaves it: in normal form, its outputs made by its code."""
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    normalize(notebook)
    return notebook.metadata.outputs_from == digest(notebook) and nbformat.writes(notebook) + "\n" == text


def main() -> None:
    parser = argparse.ArgumentParser(description="Run the notebooks and store their outputs.")
    parser.add_argument("notebooks", nargs="*", type=Path, default=NOTEBOOKS, help="default: all")
    parser.add_argument("--check", action="store_true", help="run nothing, name those that need a refresh")
    parser.add_argument("--all", action="store_true", help="store every output of this run")
    arguments = parser.parse_args()
    os.environ["LAB_LIVE"] = "0"  # the last frame of a moving picture is the one to store
    if arguments.check:
        stale = [path.name for path in arguments.notebooks if not is_normal(path)]
        sys.exit(f"make refresh: {', '.join(stale)}" if stale else 0)
    for path in arguments.notebooks:
        changed = refresh(path.resolve(), arguments.all)
        print(f"{path.name}: {'stored' if changed else 'unchanged'}", flush=True)
    HEADLINE_FILE.write_bytes(headline())


if __name__ == "__main__":
    main()
