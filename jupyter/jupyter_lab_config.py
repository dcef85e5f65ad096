"""How JupyterLab shows the course. It reads this folder where JUPYTER_CONFIG_PATH names it, as `make lab` does.

Beside it, in labconfig: default_setting_overrides.json has what a reader can change in the settings (no questions
about news and updates, names instead of dates in the list of files), and page_config.json spares them a look for
extensions to be built, which could end in a dialog.
"""

import atexit
import shutil
import tempfile

c = get_config()  # noqa: F821 (JupyterLab gives it to its configuration files)

c.LabApp.default_url = "/lab/tree/notebooks/00_start_here.ipynb"

# JupyterLab stores its layout here. A new folder for each start: it opens on notebook 00 again, with nothing beside
# it, whatever was open the last time, and leaves alone the layout of a reader's other work.
c.LabApp.workspaces_dir = tempfile.mkdtemp(prefix="celery-course-layout-")
atexit.register(shutil.rmtree, c.LabApp.workspaces_dir, ignore_errors=True)
