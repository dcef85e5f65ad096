"""What fails in silence: unknown settings, tasks that no worker knows."""

import pkgutil
import subprocess
import sys

from celery.app.defaults import SETTING_KEYS

import photos.settings
import photos.tasks
from photos import app


def test_every_setting_is_one_of_celerys():
    names = [n for n in vars(photos.settings) if n.islower() and n[0] != "_"]
    assert len(names) > 1 and set(names) <= SETTING_KEYS | {"os"}


def test_the_worker_imports_every_module_of_tasks():
    modules = {
        module.name
        for module in pkgutil.iter_modules(photos.tasks.__path__, "photos.tasks.")
    }
    assert modules == set(app.conf.include)


def test_importing_a_task_is_enough_to_use_this_app_in_every_thread():
    code = """if True:
        from threading import Thread
        from photos.tasks.timeline import read_edge
        say = lambda: print(read_edge.app.main)
        say()
        Thread(target=say).start()
    """
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60
    )
    assert said.stdout.split() == ["photos", "photos"], said.stderr
