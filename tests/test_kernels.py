"""A kernel that finds one of its ports taken is started again, on others."""

import socket
import sys

from jupyter_client.manager import KernelManager

from tests import kernels


def test_a_taken_port_costs_one_attempt(tmp_path):
    managers = []

    def make_manager():
        manager = KernelManager(kernel_name="python3", connection_file=str(tmp_path / f"{len(managers)}.json"))
        manager.kernel_spec.argv[0] = sys.executable
        managers.append(manager)
        if len(managers) == 1:
            manager.cache_ports = False  # it would choose all ports, and this one is chosen
            manager.shell_port = taken.getsockname()[1]
        return manager

    with socket.create_server(("127.0.0.1", 0)) as taken:
        manager, client = kernels.start(make_manager)
    try:
        assert len(managers) == 2 and manager is managers[1]
        assert client.execute_interactive("1 + 1", timeout=60)["content"]["status"] == "ok"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
