"""The reader's own copies of the notebooks, in my_notebooks/.

JupyterLab saves a notebook two minutes after it was opened, even if no cell was run. The course's own stay as they are,
so that tests can compare what is stored in them and a newer course arrives without conflicts. What a reader has written
is never lost: where the course has a new version of that notebook, the reader's goes on under another name.

Copies have no outputs: a prediction comes before its answer, and what stands there is what the reader has run.
"""

import hashlib
import json
from datetime import date
from itertools import count
from pathlib import Path

import nbformat
from ipykernel.ipkernel import IPythonKernel
from jupyter_client.kernelspec import get_kernel_spec
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from nbformat import NotebookNode
from nbformat.sign import NotebookNotary

ORIGINALS = "notebooks"
COPIES = "my_notebooks"
RECORD = ".copied.json"  # beside the copies: for each its fingerprint at the time it was made


class CourseContents(AsyncLargeFileManager):
    """The files that JupyterLab shows. It opens the course's own notebooks, from a link for example, but saves none."""

    def is_writable(self, path: str) -> bool:
        return not path.strip("/").startswith(f"{ORIGINALS}/") and super().is_writable(path)


def update_copies(root: Path) -> list[str]:
    """Bring `root`/my_notebooks up to date with `root`/notebooks, and say what has become of the reader's.

    OSError: the folder can't be made, or not be written.
    """
    folder = root / COPIES
    folder.mkdir(exist_ok=True)
    originals = {path.name: path for path in (root / ORIGINALS).glob("*.ipynb")}
    copied = _read_record(folder)
    news = []
    for name in sorted(originals.keys() | copied.keys()):
        original, copy = originals.get(name), folder / name
        newest = fingerprint(original) if original else None
        if copy.exists():
            if newest and newest == copied.get(name):
                continue  # the course has nothing new, so this one stays, whatever the reader has made of it
            if fingerprint(copy) not in (newest, copied.get(name)):
                news.append(f"{name} has changed in the course; yours is now {COPIES}/{_rename(copy).name}")
            elif not original:
                copy.unlink()
        if original:
            _copy(original, copy)
            copied[name] = newest
        else:
            del copied[name]
        _write_record(folder, copied)
    return news


def fingerprint(path: Path) -> str | None:
    """The same as long as text and code are the same: a notebook that was run is no other. None: it is not one."""
    try:
        cells = [(cell.cell_type, cell.source) for cell in nbformat.read(path, as_version=4).cells]
    except Exception:  # whatever a reader has put there
        return None
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def _read_record(folder: Path) -> dict[str, str | None]:
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none yet; or spoilt, and then whatever differs counts as the reader's
        return {}
    return record if isinstance(record, dict) else {}


def _write_record(folder: Path, copied: dict[str, str | None]) -> None:
    temporary = folder / f"{RECORD}.tmp"
    temporary.write_text(json.dumps(copied, indent=1), encoding="utf-8")
    temporary.replace(folder / RECORD)


def _copy(original: Path, copy: Path) -> None:
    """Copy a notebook in one step, and trust both as `jupyter trust` does: the reader runs their code anyway."""
    notebook = nbformat.read(original, as_version=4)
    NotebookNotary().sign(notebook)
    _make_unrun(notebook)
    NotebookNotary().sign(notebook)
    temporary = copy.with_suffix(".tmp")
    nbformat.write(notebook, temporary)
    temporary.replace(copy)


def _make_unrun(notebook: NotebookNode) -> None:
    """Take out what cells have shown, and name this Python: else JupyterLab would, and ask whether to save that."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.metadata.language_info = nbformat.from_dict(IPythonKernel.language_info)
    notebook.metadata.kernelspec.display_name = get_kernel_spec(notebook.metadata.kernelspec.name).display_name


def _rename(copy: Path) -> Path:
    """Give what a reader has saved a name that no other file has."""
    for number in count(1):
        path = copy.with_name(f"my_{copy.stem}_{date.today()}{f'_{number}' if number > 1 else ''}.ipynb")
        if not path.exists():
            return copy.rename(path)
    raise AssertionError("there are more numbers")
