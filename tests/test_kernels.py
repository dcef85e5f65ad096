"""No kernel of the tests is reached at a TCP port, which another one could have chosen too."""

import nbval.kernel

from tests.kernels import Kernel
from tests.surroundings import surroundings


def test_neither_ours_nor_that_of_a_notebook_waits_at_a_port():
    manager, client = nbval.kernel.start_new_kernel()  # as nbval does for each notebook
    ours = Kernel(surroundings())
    try:
        assert ours.run("print(1 + 1)") == "2\n"
        assert {each.get_connection_info()["transport"] for each in (manager, ours.manager)} == {"ipc"}
    finally:
        ours.close()
        client.stop_channels()
        manager.shutdown_kernel(now=True)
