"""What a cell can say beside Python: `%check`, `%solution`, and `%%module`."""

from ..basics.deadline import deadline
from ..basics.errors import LabError
from ..basics.kernel import get_shell
from ..basics.text import shorten, wrapped
from ..services.open_lab import current
from . import exercises
from .modules import module

CHECK_SECONDS = 60  # that a check may take


def load_magics() -> None:
    """Give the notebook its magics; outside IPython there is nothing to do."""
    if shell := get_shell():
        shell.register_magic_function(check, "line")
        shell.register_magic_function(solution, "line")
        shell.register_magic_function(module, "cell")


def check(name: str) -> None:
    """`%check NAME`: say "Right.", or what is not right yet in the exercise of that name, and a hint."""
    exercise = _find(name)
    try:
        given = exercise.arguments(get_shell().user_ns)
    except LabError as error:
        print(wrapped(f"Not yet: {error}"))  # no hint: nothing was tried
        return
    try:
        with deadline(CHECK_SECONDS, lambda: f"the check was not over after {CHECK_SECONDS} s"):
            exercise.check(**given)
    except (AssertionError, LabError) as error:  # both say what to do, and neither is a slip in the code
        said = str(error)
    except (NameError, ModuleNotFoundError) as error:
        said = f"{error}. Run the exercise cell, and the cells above it, first."
    except Exception as error:  # whatever else a learner's code may raise
        said = f"your code raised {shorten(f'{type(error).__name__}: {error}', 200)}"
    else:
        print("Right.")
        return
    print(wrapped(f"Not yet: {said}"), wrapped(f"Hint: {exercise.hint}"), sep="\n")


def solution(name: str) -> None:
    """`%solution NAME`: print the lines that can take the place of those in the exercise cell."""
    print(_find(name).solution(), end="")


def _find(name: str) -> exercises.Exercise:
    """The exercise, whose module imports `tasks`: not before the lab has said where its Redis is."""
    current()
    return exercises.find(name.strip())
