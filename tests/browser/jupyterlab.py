"""JupyterLab as `make lab` starts it."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import psutil

FIRST = "00_start_here.ipynb"  # the notebook on which it opens
DEADLINE = 120  # seconds; for what takes a few when the machine is not busy
NOBODY = "1"  # a port where nothing listens
LAB_READS = re.compile(r"REDIS_URL|REDIS_PORT|FAKE_FB_.*|CELERY_.*|LAB_LIVE|JUPYTER.*|PYTEST_.*|MAKE.*|MFLAGS")


class JupyterLab:
    """`make lab` in a copy of the course, on a free port, with nobody's own settings."""

    def __init__(self, course: Path, home: Path) -> None:
        """What it stores for itself goes to `home`. AssertionError, with what it printed: it ended, or gave no
        address until the deadline."""
        self.home, self.log = home, home / "lab.log"
        environment = {name: value for name, value in os.environ.items() if not LAB_READS.fullmatch(name)}
        # The course's Compose services may well run on this machine; the tests leave them alone.
        environment |= {"REDIS_PORT": NOBODY, "FAKE_FB_PORT": NOBODY, "IPYTHONDIR": str(home)}
        environment |= {f"JUPYTER_{what}_DIR": str(home) for what in ("CONFIG", "DATA", "RUNTIME")}
        # JupyterLab takes another port where its own is taken. Its kernels' ports could be lost to somebody else
        # before they are bound (tests/kernels.py), and the browser is the one below.
        options = "--no-browser --expose-app-in-browser --KernelManager.transport=ipc"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                ["make", "lab", f"ARGS={options}"],
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
        deadline = time.monotonic() + DEADLINE
        while not (found := re.search(r"http://127\.0\.0\.1:\S+\?token=\w+", self.log.read_text())):
            alive = self.process.poll() is None
            assert alive and time.monotonic() < deadline, f"make lab gives no address:\n{self.log.read_text()}"
            time.sleep(0.05)
        return found[0]

    def processes(self) -> list[psutil.Process]:
        """All that it has started and that still runs, kernels and workers too."""
        return [process for process in psutil.process_iter() if self._is_mine(process)]

    def _is_mine(self, process: psutil.Process) -> bool:
        try:
            inherited = process.environ().get("JUPYTER_RUNTIME_DIR")
            return inherited == str(self.home) and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False

    def end(self) -> None:
        """What closing its terminal does. Nothing that it started outlives it."""
        os.killpg(self.process.pid, signal.SIGTERM)
        deadline = time.monotonic() + DEADLINE
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        for process in left:
            process.kill()
        self.process.wait()
        assert not left, f"JupyterLab left {left} behind:\n{self.log.read_text()[-3000:]}"
