"""How JupyterLab shows the course: on which notebook it opens, and what it asks, prints and keeps.

It reads this folder where JUPYTER_CONFIG_PATH names it, as `make lab` does.

Beside it, in labconfig: default_setting_overrides.json has what a reader can change in the settings (no questions
about news and updates, names instead of dates in the list of files, a notebook's services end with its tab), and
page_config.json spares them a look for extensions to be built, which could end in a dialog.
"""

import atexit
import os
import runpy
import shutil
import signal
import tempfile
from pathlib import Path

c = get_config()  # noqa: F821 (JupyterLab gives it to its configuration files)

ROOT = Path(__file__).resolve().parents[1]

# A reader works on copies of the notebooks, and sees no others in the list of files.
my_notebooks = runpy.run_path(str(ROOT / "jupyter" / "my_notebooks.py"))
c.ServerApp.contents_manager_class = my_notebooks["CourseContents"]
try:
    for news in my_notebooks["update_copies"](ROOT):
        print(news)
except OSError as error:
    opened = my_notebooks["ORIGINALS"]
    print(f"The notebooks run, but can't be saved: {error}")
else:
    opened = my_notebooks["COPIES"]
    c.ContentsManager.hide_globs.append(my_notebooks["ORIGINALS"])
c.LabApp.default_url = f"/lab/tree/{opened}/00_start_here.ipynb"

# Kernels talk to JupyterLab over ports of this machine, which its other users could listen to.
c.KernelManager.transport_encryption = "auto"

# The terminal shows the address, and what goes wrong. Ctrl+C ends it without a question.
c.Application.log_level = "WARN"
c.JupyterApp.answer_yes = True
# Connections on this machine need no pings to stay open. With Jupyter's default, Tornado warns of each connection; with
# a shorter time-out, Jupyter cuts them off.
c.ServerApp.tornado_settings = {"ws_ping_interval": 0}

c.ServerApp.allow_root = True  # as in a container whose files belong to root

# A folder for what this start alone needs. It goes when the terminal is closed, too.
folder = Path(tempfile.mkdtemp(prefix="celery-course-lab-"))
atexit.register(shutil.rmtree, folder, ignore_errors=True)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:
    signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))

# JupyterLab stores its layout here: it opens on notebook 00 again at every start, with nothing beside it, whatever was
# open the last time, and leaves alone the layout of a reader's other work.
c.LabApp.workspaces_dir = str(folder / "layout")

# Kernels inherit this process's environment, and begin without what a reader has set up for other work: a variable
# such as PYTHONOPTIMIZE would take the asserts out of the notebooks, IPython's configuration may change what they show.
environment = runpy.run_path(str(ROOT / "lab" / "basics" / "environment.py"))
environment["forget"](environment["SETTINGS"])
os.environ["IPYTHONDIR"] = str(folder / "ipython")

# What a kernel runs as it starts.
startup = folder / "ipython" / "profile_default" / "startup"
startup.mkdir(parents=True)
shutil.copyfile(ROOT / "jupyter" / "before_the_lab.py", startup / "before_the_lab.py")
