"""Whatever leaves a start or a block early, at whatever moment, leaves nothing that runs on."""


def interrupt_twice():
    """Two interrupts during a start, and another start."""
    import contextlib
    import signal
    import threading
    import time

    import lab

    signal.signal(signal.SIGINT, signal.default_int_handler)
    seen = []
    for pause in (0.3, 0.5):
        for seconds in (pause, pause + 0.02):
            threading.Timer(seconds, signal.raise_signal, [signal.SIGINT]).start()
        try:
            lab.start()
            time.sleep(10)
        except KeyboardInterrupt:
            seen.append("interrupted")
        with contextlib.suppress(KeyboardInterrupt):  # the second one may come when all is tidied up
            time.sleep(0.2)
    lab.start()
    return seen


def test_two_interrupts_are_no_more_than_one(place):
    assert place.witness(interrupt_twice) == ["interrupted"] * 2


def leave_blocks_early():
    """Interrupt a block with a worker as it begins, as it ends, and in its end."""
    import signal
    import threading
    import time

    import lab

    signal.signal(signal.SIGINT, signal.default_int_handler)
    lab.start(worker=False)
    from tasks import fetch_url

    def interrupt_in(seconds):
        threading.Timer(seconds, signal.raise_signal, [signal.SIGINT]).start()

    left = {}
    try:
        early = lab.worker(concurrency=1, wait=False)
        interrupt_in(0.05)
        with early:
            time.sleep(10)
    except KeyboardInterrupt:
        left["at the start"] = early.returncode is None
    for pool, twice in (("solo", False), ("prefork", True)):
        try:
            with lab.worker(concurrency=1, pool=pool) as late:
                fetch_url.delay(f"{lab.fb.url}/v1/ada/photos?latency=3")
                while not lab.fb.witness().in_flight:
                    time.sleep(0.01)
                interrupt_in(0.1)
                if twice:
                    interrupt_in(0.15)
                    time.sleep(10)
        except KeyboardInterrupt:
            left[f"at the end, {pool}"] = late.returncode is None
        lab.fb.forget()
    return left


def test_a_block_with_a_worker(place):
    left = place.witness(leave_blocks_early)
    assert left == {"at the start": False, "at the end, solo": False, "at the end, prefork": False}


def leave_a_storm():
    """Interrupt the end of a storm."""
    import signal
    import threading

    import lab

    signal.signal(signal.SIGINT, signal.default_int_handler)
    lab.start(worker=False, private=True)
    from notebooks.selling import empty_shop

    empty_shop()
    try:
        with lab.storm(seed=1, seconds=20, workers=1, processes=1) as storm:
            threading.Timer(1, signal.raise_signal, [signal.SIGINT]).start()
    except KeyboardInterrupt:
        threads = [thread.name for thread in threading.enumerate()]
        workers = [slot.worker.returncode is None for slot in storm.slots]
        return {"rages": "lab-storm" in threads, "workers": workers, "redis": lab.redis.returncode}


def test_a_storm(place):
    assert place.witness(leave_a_storm) == {"rages": False, "workers": [False], "redis": None}


def leave_watches():
    """Interrupt a record that opens, at several moments."""
    import contextlib
    import signal
    import threading
    import time

    import psutil

    import lab

    signal.signal(signal.SIGINT, signal.default_int_handler)
    lab.start(worker=False)
    with lab.watch("first"):
        pass
    time.sleep(1)
    before = psutil.Process().num_fds()
    for number in range(10):
        with contextlib.suppress(KeyboardInterrupt):
            threading.Timer(0.005 * number, signal.raise_signal, [signal.SIGINT]).start()
            lab.watch("again").__enter__()
            time.sleep(10)
    deadline = time.monotonic() + 20
    while psutil.Process().num_fds() > before + 12 and time.monotonic() < deadline:
        time.sleep(0.1)
    return psutil.Process().num_fds() - before


def test_a_record(place):
    # Ten records that are left would have some thirty connections; those that came to be open are left to the test.
    assert place.witness(leave_watches) <= 12


def lose_the_keeper():
    """Kill the keeper, ask the lab something, and look whether its services are gone."""
    import os
    import signal
    import time

    import psutil

    import lab

    lab.start()
    keeper = lab.current().keeper
    services = psutil.Process(keeper.pid).children(recursive=True)
    os.kill(keeper.pid, signal.SIGKILL)
    try:
        lab.start()
        said = ""
    except lab.LabError as error:
        said = str(error)
    deadline = time.monotonic() + 10
    while any(each.is_running() and each.status() != "zombie" for each in services) and time.monotonic() < deadline:
        time.sleep(0.05)
    left = [each.pid for each in services if each.is_running() and each.status() != "zombie"]
    import shutil

    shutil.rmtree(keeper.folder)  # nobody is left to remove it
    return {"said": said, "services": len(services), "left": len(left)}


def test_a_keeper_that_was_killed(place):
    seen = place.witness(lose_the_keeper)
    assert seen["said"].startswith("The lab's keeper process has ended, and all services with it.")
    assert (seen["services"], seen["left"]) == (8, 0)


def fork():
    """Let a fork of the kernel end, and use the lab."""
    import os
    import sys

    import lab

    lab.start(worker=False)
    if not (child := os.fork()):
        sys.exit(0)
    os.waitpid(child, 0)
    with lab.worker(concurrency=1):
        return "used"


def test_a_fork_of_the_kernel_takes_nothing_with_it(place):
    assert place.witness(fork) == "used"


def start_in_threads(many):
    """Open the lab in two threads at once, where so many files are open already."""
    import resource
    import threading

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, many + 200), hard))
    files = [open("/dev/null") for _ in range(many)]  # noqa: SIM115 (they stay open)
    import lab

    said = []

    def start():
        try:
            lab.start()
            said.append("")
        except lab.LabError as error:
            said.append(str(error))

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"said": said, "files": len(files)}


def test_two_threads_and_many_open_files(place):
    assert place.witness(start_in_threads, 1100) == {"said": ["", ""], "files": 1100}
