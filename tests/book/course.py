"""Small courses that become books."""

import shutil
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.course import ROOT


class Course:
    """One with a single notebook, which may link to files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / "notebooks" / "00_small.ipynb"
        self.path.parent.mkdir(parents=True)
        shutil.copytree(ROOT / "book", root / "book", ignore=shutil.ignore_patterns("_build", "__pycache__"))
        self.write("tools/course.py", (ROOT / "tools" / "course.py").read_text(encoding="utf-8"))
        self.write(
            "notebooks/map.toml", '[[parts]]\ntitle = "all"\nnotebooks = [{number = "00", title = "", minutes = 1}]'
        )
        self.write("README.md", "# A small course\n\n## All of it\n")
        self.notebook("")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def notebook(self, prose: str, *cells: NotebookNode) -> None:
        notebook = nbformat.v4.new_notebook(
            metadata={"language_info": {"name": "python", "pygments_lexer": "ipython3"}},
            cells=[nbformat.v4.new_markdown_cell(f"# 00 · Small\n\n{prose}"), *cells],
        )
        nbformat.write(notebook, self.path)
