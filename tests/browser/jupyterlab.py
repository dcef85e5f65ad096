"""JupyterLab as `make lab` starts it."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from tests.surroundings import surroundings

FIRST = "00_start_here.ipynb"  # the notebook on which it opens
# As from a terminal: where the tests run under nohup, or in a service, the signal of a closed terminal is ignored.
HEAR = "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])"
DEADLINE_SECONDS = 120  # for what takes a few when the machine is not busy


# What somebody has set up for other work: no notebook may see anything of it.
SETTINGS = {"PYTHONOPTIMIZE": 1, "PYTHONWARNINGS": "error", "MPLBACKEND": "nonsense", "CELERY_WORKER_QUEUES": "emails"}
PROFILE = """
c.InteractiveShell.ast_node_interactivity = "all"
c.InteractiveShellApp.exec_lines = ["import logging; logging.basicConfig(level=logging.DEBUG)"]
"""


class JupyterLab:
    """`make lab` in a copy of the course, on a free port, in the shell of somebody with settings of their own."""

    def __init__(self, course: Path, home: Path) -> None:
        """What it stores for itself goes to `home`. AssertionError, with what it printed: it ended, or gave no
        address until the deadline."""
        self.home, self.log = home, home / "lab.log"
        self._temporary = home / "tmp"
        self._temporary.mkdir(exist_ok=True)
        folders = {f"JUPYTER_{what}_DIR": home for what in ("CONFIG", "DATA", "RUNTIME")}
        profile = home / "profile_default" / "ipython_kernel_config.py"
        profile.parent.mkdir(exist_ok=True)
        profile.write_text(PROFILE)
        environment = surroundings(TMPDIR=self._temporary, LAB_LIVE=1, IPYTHONDIR=home, **folders, **SETTINGS)
        # JupyterLab takes another port where its own is taken. Its kernels' ports could be lost to somebody else
        # before they are bound (tests/kernels.py), and the browser is the one below.
        options = "--no-browser --expose-app-in-browser --KernelManager.transport=ipc"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", HEAR, "make", "lab", f"ARGS={options}"],
                cwd=course, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip
        try:
            self.url = self._wait_for_url()
        except BaseException:
            self.end()
            raise

    def _wait_for_url(self) -> str:
        """The address that it prints for the reader, with its token."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not (found := re.search(r"http://127\.0\.0\.1:\S+\?token=\w+", self.log.read_text())):
            alive = self.process.poll() is None
            assert alive and time.monotonic() < deadline, f"make lab gives no address:\n{self.log.read_text()}"
            time.sleep(0.05)
        return found[0]

    def processes(self) -> list[psutil.Process]:
        """All that it has started and that still runs, kernels and workers too."""
        return [process for process in psutil.process_iter() if self._is_mine(process)]

    def workers(self) -> list[psutil.Process]:
        """The Celery workers among them."""
        return [process for process in psutil.process_iter(["cmdline"]) if self._is_worker(process)]

    def _is_worker(self, process: psutil.Process) -> bool:
        return "celery" in (process.info["cmdline"] or []) and self._is_mine(process)

    def _is_mine(self, process: psutil.Process) -> bool:
        try:
            place = process.environ().get("TMPDIR", "")  # a worker's is its lab's folder
            return Path(place).is_relative_to(self._temporary) and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False

    def end(self) -> None:
        """What closing its terminal does. Nothing that it started outlives it, and it had nothing to complain of."""
        os.killpg(self.process.pid, signal.SIGHUP)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        for process in left:
            process.kill()
        self.process.wait()
        log = self.log.read_text()
        assert not left, f"JupyterLab left {left} behind:\n{log}"
        folders = list(self._temporary.glob("celery-course-*"))
        assert not folders, f"JupyterLab left {folders} behind:\n{log}"
        assert not re.search(r"^\[[WE] |eavesdropping", log, re.MULTILINE), log
