"""Kernels for tests, reached through sockets in the file system.

Jupyter's usual TCP ports are chosen before the kernel binds them, and with several kernels at a time two can end
up with the same one. Then a kernel dies at its start, or one hears the client of another and complains about it
on stderr, in the middle of somebody's cell.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

DEADLINE_SECONDS = 60  # a start takes one when the machine is not busy
CELL_SECONDS = 120  # for a cell that takes a few when the machine is not busy
NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"


class NotebookManager(KernelManager):
    """Of a notebook that nbval runs, and then ends at once. Here it may end in its own way, with its services: where a
    container ends with its tests, nobody would be left to tidy up the Redis that they share."""

    shutdown_wait_time = 20  # seconds

    def shutdown_kernel(self, now: bool = False, restart: bool = False) -> None:
        super().shutdown_kernel(now=False, restart=restart)


def make_manager(kind: type[KernelManager] = KernelManager, **options: Any) -> KernelManager:
    """The manager of a kernel that is not started yet. Its sockets go when it is shut down."""
    # Not in pytest's folders: the path of a socket may have no more than 103 characters (macOS).
    connection_file = Path(tempfile.gettempdir()) / f"kernel-{uuid4().hex[:12]}.json"
    return kind(transport="ipc", connection_file=str(connection_file), **options)


class Kernel:
    """A kernel as JupyterLab would start it, and somebody who runs cells in it and reads what they print."""

    def __init__(self, environment: dict[str, str]) -> None:
        """It runs in the folder of the notebooks. RuntimeError: it died, or was silent until the deadline."""
        self.manager = make_manager(kernel_name="python3")
        self.manager.kernel_spec.argv[0] = sys.executable  # this Python's own, whatever kernels are installed
        self.manager.start_kernel(cwd=str(NOTEBOOKS), env=environment)
        self.client = self._connect()

    def _connect(self) -> BlockingKernelClient:
        client = self.manager.blocking_client()
        client.start_channels()
        client.wait_for_ready(timeout=DEADLINE_SECONDS)
        return client

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self.manager.provisioner.pid)

    def run(self, source: str) -> str:
        """What the cell prints. It must not end in an error."""
        printed = []

        def listen(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
                printed.append(message["content"]["text"])

        reply = self.client.execute_interactive(source, timeout=CELL_SECONDS, output_hook=listen)["content"]
        assert reply["status"] == "ok", "\n".join(reply.get("traceback", []))
        return "".join(printed)

    def restart(self) -> None:
        """What "Restart Kernel" does."""
        self.client.stop_channels()
        self.manager.restart_kernel(now=True)
        self.client = self._connect()

    def close(self) -> None:
        """End it at once, whatever state it is in."""
        self.client.stop_channels()
        if self.manager.has_kernel:
            self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()
        self.manager.context.destroy(linger=0)
