"""The reader's own copies of the notebooks, in my_notebooks/.

JupyterLab saves a notebook two minutes after it was opened, even if no cell was run. The course's own stay as they are,
so that tests can compare what is stored in them and a newer course arrives without conflicts. What a reader has saved
is never lost: where the course has a new version of that notebook, the reader's goes on under another name.
"""

import hashlib
import json
import shutil
from datetime import date
from itertools import count
from pathlib import Path

import nbformat
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from nbformat.sign import NotebookNotary

ORIGINALS = "notebooks"
COPIES = "my_notebooks"
RECORD = ".copied.json"  # beside the copies: for each its fingerprint at the time it was made


class CourseContents(AsyncLargeFileManager):
    """The files that JupyterLab shows. It opens the course's own notebooks, from a link for example, but saves none."""

    def is_writable(self, path: str) -> bool:
        return not path.strip("/").startswith(f"{ORIGINALS}/") and super().is_writable(path)


def update_copies(root: Path) -> list[str]:
    """Bring `root`/my_notebooks up to date with `root`/notebooks, and say which notebooks of the reader were renamed.

    OSError: the folder can't be made, or not be written.
    """
    folder = root / COPIES
    folder.mkdir(exist_ok=True)
    originals = {path.name: path for path in (root / ORIGINALS).glob("*.ipynb")}
    copied = _read_record(folder)
    renamed = []
    for name in sorted(originals.keys() | copied.keys()):
        original, copy = originals.get(name), folder / name
        newest = fingerprint(original) if original else None
        if copy.exists():
            if newest and newest == copied.get(name):
                continue  # the course has nothing new, so this one stays, whatever the reader has made of it
            if fingerprint(copy) not in (newest, copied.get(name)):
                renamed.append(_rename(copy))
            elif not original:
                copy.unlink()
        if original:
            _copy(original, copy)
            copied[name] = newest
        else:
            del copied[name]
        _write_record(folder, copied)
    return [f"The course has changed. What you had saved is now {COPIES}/{path.name}" for path in renamed]


def fingerprint(notebook: Path) -> str | None:
    """The same as long as the cells and their outputs are the same. None: the file is not a notebook.

    What else is in the file changes whenever JupyterLab saves it, such as the version of Python.
    """
    try:
        cells = nbformat.read(notebook, as_version=4).cells
    except Exception:  # whatever a reader has put there
        return None
    return hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()


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
    """Copy a notebook in one step, and trust it as `jupyter trust` does: the reader runs its code anyway."""
    temporary = copy.with_suffix(".tmp")
    shutil.copyfile(original, temporary)
    NotebookNotary().sign(nbformat.read(temporary, as_version=4))
    temporary.replace(copy)


def _rename(copy: Path) -> Path:
    """Give what a reader has saved a name that no other file has."""
    for number in count(1):
        path = copy.with_name(f"{copy.stem}, mine until {date.today()}{f' ({number})' if number > 1 else ''}.ipynb")
        if not path.exists():
            return copy.rename(path)
    raise AssertionError("there are more numbers")
