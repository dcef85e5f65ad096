"""Exercises: each has a check, a hint and one solution, in a module of notebooks/exercises.

They are there, not in the notebook, so that it gives nothing away: GitHub folds neither cells nor details. The module
has the notebook's name without its number. An exercise `double` is two functions in it:

    @hint("What has to be added to a number?")
    def check_double(double: Callable[[int], int]) -> None:
        assert double(21) == 2 * 21, f"of 21 it makes {double(21)}"

    def solve_double() -> Callable[[int], int]:
        def double(number):
            return number + number

        return double

In the notebook it is a text, a cell to change, tagged `exercise`, a cell `%check double`, tagged `check`, and below
that the sentence with the link to the module.

- A check takes names of the notebook, and its asserts say what is not right yet. It computes what it compares with
  where it can, so that who reads it learns no answer.
- A solution is what `%solution` prints: the lines that can take the place of the cell's, without annotations, as in
  the notebook. Its parameters are names of cells above. A last `return` is for the linter and the type checker, and
  is not printed.
- Where the cell begins with `%%module my_tasks`, `@in_module("my_tasks")` is above the solution, and the check takes
  the module as `my_tasks`. Where it begins with `%%writefile my_tasks.py`, `@in_file("my_tasks.py")` is there.
- No two exercises of the course have the same name: a check needs no more than that.

`tests/test_exercises.py` runs every exercise untouched, where its check must fail with its hint, and solved, where it
must pass.
"""

import ast
import importlib.util
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from ..basics.errors import LabError
from ..basics.places import ROOT

FOLDER = ROOT / "notebooks" / "exercises"

F = TypeVar("F", bound=Callable[..., Any])


def hint(words: str) -> Callable[[F], F]:
    """Above a check: what helps somebody whose answer is not right yet."""
    return lambda function: _marked(function, hint=words)


def in_module(name: str) -> Callable[[F], F]:
    """Above a solution: its cell begins with `%%module NAME`."""
    return lambda function: _marked(function, module=name)


def in_file(name: str) -> Callable[[F], F]:
    """Above a solution: its cell begins with `%%writefile NAME`."""
    return lambda function: _marked(function, file=name)


def _marked(function: F, **marks: str) -> F:
    function.__dict__.update(marks)
    return function


@dataclass(frozen=True)
class Exercise:
    """A check, its hint, and one solution."""

    check: Callable[..., None]
    hint: str
    solve: Callable[..., object]
    module: str | None  # that the exercise cell writes, with %%module
    file: str | None = None  # that it writes, with %%writefile

    def arguments(self, names: Mapping[str, Any]) -> dict[str, Any]:
        """What the check takes, from the names of the notebook. `LabError`: something is not there yet."""
        return {name: self._value(name, names) for name in inspect.signature(self.check).parameters}

    def _value(self, name: str, names: Mapping[str, Any]) -> Any:
        if name == self.module:
            if name not in sys.modules:
                raise LabError(f"run the exercise cell first, from its first line %%module {name} on.")
            return sys.modules[name]
        if name not in names:
            code = self.solve.__code__
            made = (code.co_varnames + code.co_cellvars)[code.co_argcount :]
            cells = "exercise cell" if name in made else "cells above the exercise"
            raise LabError(f"run the {cells} first: there is no {name} yet.")
        return names[name]

    def solution(self) -> str:
        """The source that can take the place of the exercise cell's."""
        lines = inspect.getsource(self.solve).splitlines()
        [function] = ast.parse(textwrap.dedent("\n".join(lines))).body
        assert isinstance(function, ast.FunctionDef) and function.returns
        statements = function.body[:-1] if isinstance(function.body[-1], ast.Return) else function.body
        source = f"%%module {self.module}\n" if self.module else f"%%writefile {self.file}\n" if self.file else ""
        end, before = function.returns.end_lineno or 0, None
        for statement in statements:
            # With the comments and decorators above it. As in every module, two blank lines set a definition apart.
            part = textwrap.dedent("\n".join(lines[end : statement.end_lineno]))
            if before and _is_definition(before, statement):
                source += "\n\n"
                part = part.lstrip("\n")
            source += part.rstrip() + "\n"
            end, before = statement.end_lineno or 0, statement
        return source


def _is_definition(*statements: ast.stmt) -> bool:
    return any(isinstance(each, ast.FunctionDef | ast.ClassDef) for each in statements)


def names_in(path: Path) -> list[str]:
    """The exercises of a module, found without importing it."""
    return re.findall(r"^def check_(\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE)


def find(name: str) -> Exercise:
    """The exercise of that name. `LabError`: there is none."""
    for path in sorted(FOLDER.glob("*.py")):
        if name in names_in(path):
            found = _import(path)
            check, solve = getattr(found, f"check_{name}"), getattr(found, f"solve_{name}")
            return Exercise(check, check.hint, solve, getattr(solve, "module", None), getattr(solve, "file", None))
    raise LabError(f"There is no exercise {name!r}: take the name from the cell below the exercise, after %check.")


def _import(path: Path) -> ModuleType:
    """The module in this file, read anew: who changes an exercise need not restart the kernel."""
    spec = importlib.util.spec_from_file_location(f"exercises_of_{path.stem}", path)
    assert spec and spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found
