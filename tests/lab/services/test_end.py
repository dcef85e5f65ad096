"""Whatever ends the kernel, nothing of its lab outlives it for more than three seconds."""

import os
import signal
import socket
import subprocess

import psutil
import pytest

PROMISED_SECONDS = 3  # from the end of the kernel to the end of the last process
OPEN = """
import sys
sys.path.insert(0, "..")
import lab
lab.start()
"""
BUSY = """
from tasks import fetch_url
tickets = [fetch_url.delay(f"{lab.fb.url}/v1/ada/photos") for _ in range(4)]
tickets += [fetch_url.delay("SILENT")]
import time
while lab.fb.witness().in_flight < 4:
    time.sleep(0.01)
"""
KEEPER = """
print(lab.current().keeper.pid, lab.current().keeper.folder)
"""


def processes_of(keeper: int) -> list[psutil.Process]:
    """The keeper and all below it: Redis, the mock Facebook, a worker and its five children."""
    top = psutil.Process(keeper)
    found = [top, *top.children(recursive=True)]
    assert len(found) == 1 + 2 + 6, found
    return found


def lab_of(kernel):
    keeper, folder = kernel.run(KEEPER).split()
    assert os.path.isdir(folder)
    return processes_of(int(keeper)), folder


def folder_gone(folder: str) -> bool:
    """The keeper removes the folder last, before it ends itself."""
    return not os.path.exists(folder)


def test_a_killed_kernel_and_a_restarted_one(open_kernel, all_gone):
    kernel = open_kernel()
    kernel.run(OPEN)
    processes, folder = lab_of(kernel)
    kernel.restart()
    assert not all_gone(processes, PROMISED_SECONDS)
    assert folder_gone(folder)

    kernel.run(OPEN)
    processes, folder = lab_of(kernel)
    victim = kernel.process
    # The fifth task would wait for half a minute, whatever becomes of the lab's own server.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        kernel.run(BUSY.replace("SILENT", f"http://127.0.0.1:{silent.getsockname()[1]}"))
        with silent.accept()[0]:
            victim.kill()
            assert not all_gone([victim, *processes], PROMISED_SECONDS)
    assert folder_gone(folder)


def test_an_interrupted_kernel_keeps_its_lab_and_a_shutdown_ends_it(open_kernel, all_gone, place):
    kernel = open_kernel()
    kernel.run(OPEN)
    processes, folder = lab_of(kernel)
    # stop_on_error: otherwise the kernel drops the next cell too, where that arrives while it handles the interrupt.
    message = kernel.client.execute("print('waiting'); import time; time.sleep(60)", stop_on_error=False)
    while kernel.client.get_iopub_msg(timeout=60)["msg_type"] != "stream":
        pass  # the interrupt must come while the cell runs
    assert os.getpgid(kernel.process.pid) == kernel.process.pid
    os.killpg(kernel.process.pid, signal.SIGINT)
    while (reply := kernel.client.get_shell_msg(timeout=30))["parent_header"].get("msg_id") != message:
        pass
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    asked = """
from tasks import app, fetch_url
print(len(app.control.ping(timeout=5, limit=1)))
print(len(fetch_url.delay(f"{lab.fb.url}/v1/ada/photos?latency=0&limit=3").get(timeout=30)["data"]))
"""
    assert kernel.run(asked).split() == ["1", "3"]
    assert lab_of(kernel) == (processes, folder)

    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel()
    assert not all_gone(processes, PROMISED_SECONDS)
    assert folder_gone(folder)
    # Not a socket, not a lock, not an empty folder of a worker that was killed.
    assert [path.name for path in place.temporary.iterdir()] == []


def sit_there():
    """Open a lab, say who keeps it, and wait for a signal."""
    import time

    import lab

    lab.start()
    keeper = lab.current().keeper
    print(f"KEEPER {keeper.pid} {keeper.folder}", flush=True)
    time.sleep(60)


def leave():
    """Open a lab, say who keeps it, wait for a line and leave."""
    import sys

    import lab

    lab.start()
    keeper = lab.current().keeper
    print(f"KEEPER {keeper.pid} {keeper.folder}", flush=True)
    sys.stdin.readline()
    sys.exit(3)


@pytest.mark.parametrize(
    ("script", "end", "returncode"),
    [
        (sit_there, lambda child: child.terminate(), -signal.SIGTERM),
        (leave, lambda child: (child.stdin.write("\n"), child.stdin.flush()), 3),
    ],
    ids=["SIGTERM", "sys.exit"],
)
def test_a_script_that_ends(place, all_gone, script, end, returncode):
    child = subprocess.Popen(
        place.command(script), env=place.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        try:
            line = next(line for line in child.stdout if line.startswith("KEEPER "))
            _, keeper, folder = line.split()
            processes = processes_of(int(keeper))
            end(child)
            assert not all_gone(processes, PROMISED_SECONDS)
            assert child.wait(30) == returncode
        finally:
            child.kill()
    assert folder_gone(folder)


def leave_waiting():
    """Open a lab, wait for one result, and leave while others are waited for."""
    import lab

    lab.start()
    from tasks import fetch_url

    url = f"{lab.fb.url}/v1/ada/photos?latency=0"
    fetch_url.delay(url).get(timeout=30)
    globals()["waiting"] = [fetch_url.apply_async([url], queue="nobody-reads") for _ in range(3)]


def test_a_script_that_still_waits_for_results_ends_at_once(place):
    command = place.command(leave_waiting)
    ended = subprocess.run(command, env=place.environment, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
