"""Who goes straight to an exercise in JupyterLab is told to open the lab first. (tests/browser sees it there.)"""

import shutil
from pathlib import Path

from tests.kernels import Kernel
from tests.surroundings import surroundings
from tools.course import ROOT

SAID = "Run the first cell of this notebook first: it opens the lab.\n"


def test_the_courses_magics_name_the_first_cell_until_they_are_there(tmp_path: Path) -> None:
    startup = tmp_path / "profile_default" / "startup"
    startup.mkdir(parents=True)
    shutil.copy(ROOT / "jupyter" / "before_the_lab.py", startup)
    kernel = Kernel(surroundings(IPYTHONDIR=tmp_path))
    try:
        for source in ("%check read_timeline", "%solution read_timeline", "%%module my_tasks\nfrom tasks import app"):
            assert kernel.run(source) == SAID
        assert kernel.run("print([name for name in dir() if name.startswith('_name')])") == "[]\n"
        kernel.run("import sys\nsys.path.insert(0, '..')\nimport lab\nlab.start(worker=False)")
        assert kernel.run("seconds = 0\n%check two_processes").startswith("Not yet: guess first")
    finally:
        kernel.close()
