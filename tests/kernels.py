"""Kernels for tests, started again where they lose a race.

Jupyter chooses the ports of a kernel before the kernel binds them. Now and then another process gets one of them
in between (any connection on this machine takes a port), and the kernel dies at its start.
"""

from collections.abc import Callable
from typing import Any

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

ATTEMPTS = 3
DEADLINE = 60  # seconds; a start takes one when the machine is not busy


def start(make_manager: Callable[[], KernelManager], **options: Any) -> tuple[KernelManager, BlockingKernelClient]:
    """A kernel that answers. RuntimeError: it didn't, at any attempt."""
    for _ in range(ATTEMPTS - 1):
        try:
            return _start(make_manager(), **options)
        except RuntimeError:
            continue
    return _start(make_manager(), **options)


def _start(manager: KernelManager, **options: Any) -> tuple[KernelManager, BlockingKernelClient]:
    manager.start_kernel(**options)
    try:
        return manager, connect(manager)
    except RuntimeError:
        manager.shutdown_kernel(now=True)
        raise


def restart(manager: KernelManager) -> BlockingKernelClient:
    """The client of the kernel that comes in the old one's place."""
    manager.restart_kernel(now=True)
    try:
        return connect(manager)
    except RuntimeError:
        manager.restart_kernel(now=True, newports=True)
        return connect(manager)


def connect(manager: KernelManager) -> BlockingKernelClient:
    """A client whose kernel has answered. RuntimeError: the kernel died, or was silent until the deadline."""
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=DEADLINE)
    except RuntimeError:
        client.stop_channels()
        raise
    return client
