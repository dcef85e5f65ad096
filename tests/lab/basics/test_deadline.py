"""A deadline is one for the whole block, whatever waits in it, and leaves the alarm clock as it found it."""

import signal
import socket
import threading
import time

import pytest

from lab.basics.deadline import deadline
from lab.basics.errors import LabError


def late(words="too late"):
    return lambda: words


def seconds_until_error(block, seconds=0.3):
    begin = time.monotonic()
    with pytest.raises(LabError, match="too late"), deadline(seconds, late()):
        block()
    return time.monotonic() - begin


def sleep_on():
    time.sleep(30)


def try_again_and_again():
    """As a library does that takes every error for a passing one."""
    for _ in range(1000):
        try:
            time.sleep(30)
        except Exception:
            continue


def wait_for_nobody():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.accept()


@pytest.mark.parametrize("block", [sleep_on, try_again_and_again, wait_for_nobody])
def test_it_ends_what_waits(block):
    assert 0.3 <= seconds_until_error(block) < 10


def test_what_is_in_time_goes_on_and_no_alarm_rings_later():
    before = signal.getsignal(signal.SIGALRM)
    with deadline(0.2, late()):
        pass
    time.sleep(0.4)
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


@pytest.mark.parametrize(("outer", "inner", "words"), [(0.2, 30, "outer"), (30, 0.2, "inner")])
def test_of_two_the_earlier_one_says_so(outer, inner, words):
    with pytest.raises(LabError, match=words), deadline(outer, late("outer")), deadline(inner, late("inner")):
        time.sleep(20)


def test_after_an_inner_one_the_outer_one_still_holds():
    def inner():
        with pytest.raises(LabError, match="inner"), deadline(0.1, late("inner")):
            time.sleep(20)
        with deadline(20, late("inner")):
            pass
        time.sleep(20)

    assert 0.5 <= seconds_until_error(inner, 0.5) < 10


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_alarm_that_is_lost_rings_again():
    class Careless:
        def __del__(self):
            time.sleep(0.6)  # what is raised here is written to stderr, and ignored

    def block():
        each = Careless()
        del each
        time.sleep(20)

    assert seconds_until_error(block) < 10


def test_in_another_thread_it_is_asked():
    said = []

    def wait():
        try:
            with deadline(0.2, late()) as check:
                while True:
                    check()
                    time.sleep(0.01)
        except LabError as error:
            said.append(str(error))

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join(10)
    assert said == ["too late"]
