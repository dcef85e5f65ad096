"""Servers that answer without an end: the start has a deadline for the whole."""

import socket
import threading
import time

import pytest

from tests.lab.starts import check_refused, start_it


class Endless:
    """A server that takes a connection, and then sends a piece every 0.3 seconds, without an end."""

    def __init__(self, first: bytes, piece: bytes, pause: float = 0.3) -> None:
        self._first, self._piece, self._pause = first, piece, pause
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while self._open:
            try:
                connection = self._listening.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._send, args=(connection,), daemon=True).start()

    def _send(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.recv(1024)
                connection.sendall(self._first)
                while self._open:
                    connection.sendall(self._piece)
                    time.sleep(self._pause)
        except OSError:
            pass

    def close(self) -> None:
        self._open = False
        self._listening.close()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ENDLESS = {
    "body": (HEAD + b"\r\n", b" "),
    "header": (HEAD, b"X-More: more\r\n"),
    "large": (HEAD + b"\r\n", b" " * 1_000_000, 0),
    "redirects": (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", b""),
}


@pytest.fixture
def endless(request):
    server = Endless(*request.param)
    yield server
    server.close()


@pytest.mark.parametrize("endless", ENDLESS.values(), ids=ENDLESS.keys(), indirect=True)
def test_a_server_without_an_end_is_no_mock_facebook(run_lab, endless):
    check_refused(run_lab(start_it, FAKE_FB_URL=f"http://127.0.0.1:{endless.port}"), "FAKE_FB_URL")


@pytest.mark.parametrize("endless", [ENDLESS["body"], ENDLESS["header"]], ids=["body", "header"], indirect=True)
def test_on_the_port_of_compose_it_is_left_alone(run_lab, start_redis, endless):
    marked = start_redis("--user", "celery-course", "on", ">celery-course", "-@all", "+ping")
    outcome = run_lab(start_it, REDIS_PORT=str(marked.port), FAKE_FB_PORT=str(endless.port))
    assert outcome.evidence["items"] == 1, outcome
    assert outcome.evidence["took"] < 30
    assert outcome.out.count("private to this notebook") == 2


REDISES = {"line": (b"+PON", b"G"), "bulk": (b"$1000000\r\n", b"x"), "answers": (b"", b"+OK\r\n"), "web": (HEAD, b"x")}


@pytest.mark.parametrize("endless", REDISES.values(), ids=REDISES.keys(), indirect=True)
@pytest.mark.parametrize("by", ["REDIS_URL", "REDIS_PORT"])
def test_a_redis_without_an_end(run_lab, endless, by):
    if by == "REDIS_URL":
        check_refused(run_lab(start_it, REDIS_URL=f"redis://127.0.0.1:{endless.port}/0"), "REDIS_URL")
    else:
        outcome = run_lab(start_it, REDIS_PORT=str(endless.port), FAKE_FB_PORT="1")
        assert outcome.evidence["items"] == 1, outcome
        assert outcome.evidence["took"] < 30


@pytest.mark.parametrize("port", ["tcp://172.17.0.2:6379", "abc", "", "-1", "99999999"])
def test_a_port_that_is_none_names_no_compose(run_lab, port):
    assert run_lab(start_it, REDIS_PORT=port, FAKE_FB_PORT=port).evidence["items"] == 1
