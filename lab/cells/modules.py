"""`%%module NAME`: a cell that becomes a module, for tasks that a learner writes."""

import importlib
import importlib.util
import keyword
import sys
import traceback
from pathlib import Path

from ..basics.errors import LabError
from ..services.open_lab import current


def module(name: str, cell: str) -> None:
    """`%%module NAME`: write the cell as a module that the notebook and new workers can import.

    A worker knows only tasks that it finds in a module; a task in a cell exists in the notebook alone.
    """
    name = name.strip()
    path = module_folder() / f"{name}.py"
    if not name.isidentifier() or keyword.iskeyword(name) or _is_taken(name, path):
        raise LabError(f"{name!r} can't be the name of a new module. Choose a name like my_tasks.")
    # If the new one is not right, nobody should go on with the old one; nor with its bytecode, which Python takes for
    # that of a new one of the same length that is written within the same second.
    path.unlink(missing_ok=True)
    Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
    _forget_module(name)
    try:
        compile(cell, path.name, "exec")
        path.write_text(cell)
        importlib.import_module(name)
    except Exception as error:
        path.unlink(missing_ok=True)
        raise LabError(f"{path.name}{_line_of(error, path)}: {type(error).__name__}: {error}") from None
    print(f"{path.name} is written: a worker started with --include {name} knows its tasks.")


def _is_taken(name: str, path: Path) -> bool:
    """Whether the name already means a module that is not the learner's own, which is at `path` or was there."""
    if name == "__main__":  # the notebook itself
        return True
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.origin != str(path)


def _line_of(error: Exception, path: Path) -> str:
    """ ", line N" for the line of the module that raised, if it is one of its own."""
    if isinstance(error, SyntaxError):
        return f", line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""


def module_folder() -> Path:
    """Where the learner's modules are: in the lab's folder, importable here and in the lab's workers."""
    folder = current().keeper.folder
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    return folder


def _forget_module(name: str) -> None:
    """Let the next import load the module anew, with its tasks: Celery keeps the first task of a name."""
    from tasks import app

    for key, task in list(app.tasks.items()):  # a learner may have put one task in under several names
        if type(task).__module__ == name:
            del app.tasks[key]
    sys.modules.pop(name, None)
    importlib.invalidate_caches()
