"""Run every notebook and store it, with what it shows now, in another folder. The notebooks stay as they are.

python -m book.run FOLDER
"""

import os
import sys
from pathlib import Path

import nbformat

from tools.course import NOTEBOOKS, ROOT
from tools.refresh import execute, normalize


def run(path: Path, copy: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    execute(path, notebook)
    normalize(notebook)
    copy.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, copy)


def main() -> None:
    os.environ["LAB_LIVE"] = "0"  # the last frame of a moving picture is the one to show
    for path in NOTEBOOKS:
        name = path.relative_to(ROOT)
        print(f"{name} runs", flush=True)
        run(path, Path(sys.argv[1]) / name)


if __name__ == "__main__":
    main()
