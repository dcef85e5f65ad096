"""Exercises: cell magics for the check, the folded solution, and tasks that a learner writes.

An exercise in a notebook is four cells, known by their tags:

- `exercise`: code that the learner changes;
- `check`: begins with `%%check HINT`, then plain `assert`s that say what is not right yet;
- `solution`: begins with `%%solution`, folded, holds what the exercise cell could become;
- and above them a text that says what to do.

`tests/test_exercises.py` runs every exercise untouched, where its check must fail with its hint, and solved,
where it must pass.
"""

import importlib
import importlib.util
import keyword
import sys
import traceback
from pathlib import Path
from typing import Any

from ..basics.deadline import deadline
from ..basics.errors import LabError
from ..basics.text import shorten, wrapped
from ..services.open_lab import current

CHECK_SECONDS = 60  # that a check may take


def load_magics() -> None:
    """Give the notebook its cell magics; outside IPython there is nothing to do."""
    ipython = sys.modules.get("IPython")  # slow to import, and there already where there are cells
    shell = ipython and ipython.get_ipython()
    if shell:
        for magic in (check, solution, module):
            shell.register_magic_function(magic, "cell")


def check(hint: str, cell: str) -> None:
    """`%%check HINT`: run the cell's assertions and say "Right.", or what is not right yet and the hint."""
    try:
        with deadline(CHECK_SECONDS, lambda: f"the check was not over after {CHECK_SECONDS} s"):
            exec(compile(cell, "<check>", "exec"), dict(_namespace()))  # a copy: a check leaves no names behind
    except (AssertionError, LabError) as error:  # both say what to do, and neither is a slip in the code
        said = str(error)
    except (NameError, ModuleNotFoundError) as error:
        said = f"{error}. Run the exercise cell, and the cells above it, first."
    except Exception as error:  # whatever else a learner's code may raise
        said = f"your code raised {shorten(f'{type(error).__name__}: {error}', 200)}"
    else:
        print("Right.")
        return
    print(wrapped(f"Not yet: {said}"), wrapped(f"Hint: {hint}"), sep="\n")


def solution(_line: str, _cell: str) -> None:
    """`%%solution`: keep one way to solve the exercise, and do nothing when the cell is run."""
    print("One solution is folded here. To try it, copy all but its first line into the exercise.")


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


def _namespace() -> dict[str, Any]:
    from IPython import get_ipython

    return get_ipython().user_ns
