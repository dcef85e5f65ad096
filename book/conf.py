"""Settings of the book: the README and the notebooks as pages, for Sphinx to read where they are.

`make book` builds it. What these settings can't say is in extension.py.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from book.extension import README, linked_files  # noqa: E402
from tools.course import NOTEBOOKS  # noqa: E402

# The public home of the repository, as in "https://github.com/somebody/celery-course". While it is empty, no page has a
# button that leads there, and the README has no link to a codespace (tests/test_readme.py sees to both).
ADDRESS = ""

PAGES = [ROOT / README, *NOTEBOOKS]

project = PAGES[0].read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
root_doc = Path(README).stem
include_patterns = [path.relative_to(ROOT).as_posix() for path in (*PAGES, *linked_files(ROOT, PAGES))]
exclude_patterns = [".*", "**/__pycache__", "book/_build"]  # folders that nothing is looked for in
# Any other file that is linked is shown as it is. The page of tasks.py is tasks.py.html.
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb", "": "listing"}

extensions = ["myst_nb", "book.extension"]
myst_heading_anchors = 4
nb_execution_mode = "off"
highlight_language = "text"

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["static"]
html_css_files = ["book.css"]
html_js_files = ["book.js"]
html_copy_source = False
html_use_index = False
html_show_copyright = False
html_context = {"default_mode": "auto"}  # dark where the reader's machine is
html_theme_options = {
    "repository_url": ADDRESS,
    "use_repository_button": bool(ADDRESS),
    "use_download_button": False,  # it offers a notebook without the files that it needs
    "navbar_persistent": [],  # the search stands beside the page, above the contents
    "search_bar_text": "Search",
    "footer_content_items": "",
}
