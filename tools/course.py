"""The map of the course, as notebooks/map.toml has it."""

import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "notebooks"


class Notebook(NamedTuple):
    """A place on the map."""

    number: str  # of two digits, and perhaps a letter: "11b"
    title: str
    minutes: int | None  # of a first reader; None: in preparation
    path: Path | None  # None: in preparation


class Part(NamedTuple):
    number: str  # Roman
    title: str
    notebooks: tuple[Notebook, ...]


def read_map() -> tuple[Part, ...]:
    """The parts of the course. ValueError: a notebook with minutes has no file, or more than one."""
    with (FOLDER / "map.toml").open("rb") as file:
        parts = tomllib.load(file)["parts"]
    return tuple(
        Part("I" * number, part["title"], tuple(_notebook(**entry) for entry in part["notebooks"]))
        for number, part in enumerate(parts, start=1)
    )


def _notebook(number: str, title: str, minutes: int | None = None) -> Notebook:
    if minutes is None:
        return Notebook(number, title, None, None)
    try:
        [path] = FOLDER.glob(f"{number}_*.ipynb")
    except ValueError:
        raise ValueError(f"map.toml: notebook {number} has minutes, but not exactly one file") from None
    return Notebook(number, title, minutes, path)


PARTS = read_map()
ON_THE_MAP = tuple(notebook for part in PARTS for notebook in part.notebooks)
NOTEBOOKS = [notebook.path for notebook in ON_THE_MAP if notebook.path]
