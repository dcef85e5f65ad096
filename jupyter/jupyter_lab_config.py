"""How JupyterLab shows the course. It reads this folder where JUPYTER_CONFIG_PATH names it, as `make lab` does.

Beside it, in labconfig: default_setting_overrides.json has what a reader can change in the settings (no questions
about news and updates, names instead of dates in the list of files), and page_config.json spares them a look for
extensions to be built, which could end in a dialog.
"""

import atexit
import os
import runpy
import shutil
import tempfile
from pathlib import Path

c = get_config()  # noqa: F821 (JupyterLab gives it to its configuration files)

c.LabApp.default_url = "/lab/tree/notebooks/00_start_here.ipynb"

# A folder for what this start alone needs.
folder = Path(tempfile.mkdtemp(prefix="celery-course-lab-"))
atexit.register(shutil.rmtree, folder, ignore_errors=True)

# JupyterLab stores its layout here: it opens on notebook 00 again at every start, with nothing beside it, whatever was
# open the last time, and leaves alone the layout of a reader's other work.
c.LabApp.workspaces_dir = str(folder / "layout")

# Kernels inherit this process's environment, and begin without what a reader has set up for other work: a variable
# such as PYTHONOPTIMIZE would take the asserts out of the notebooks, IPython's configuration may change what they show.
environment = runpy.run_path(str(Path(__file__).resolve().parents[1] / "lab" / "environment.py"))
environment["forget"](environment["SETTINGS"])
os.environ["IPYTHONDIR"] = str(folder / "ipython")
