"""A real fake_fb for the tests: a process of its own, on a free port."""

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.common import wait_until

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 20  # for what takes a fraction of one when the machine is not busy


class FakeFb:
    """A fake_fb process, and the ways the tests talk to it."""

    def __init__(self, log: Path, *options: str, **environment: str) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "fake_fb", "--port", "0", "--mail-port", "0", *options],
                cwd=ROOT,
                env=os.environ | environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            self.url = self._announced_url()
        except BaseException:
            self.stop()
            raise
        self.port = int(self.url.rpartition(":")[2])
        self.http = requests.Session()
        self.http.trust_env = False  # no proxies

    def _announced_url(self) -> str:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if found := re.search(r"^fake_fb listening on (\S+)\n", self.output(), re.MULTILINE):
                return found[1]
            time.sleep(0.02)
        raise AssertionError(f"fake_fb did not start within {DEADLINE_SECONDS} s; its log:\n{self.output()[-2000:]}")

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def call(self, method: str, path: str, **options) -> requests.Response:
        return self.http.request(method, self.url + path, timeout=DEADLINE_SECONDS, **options)

    def get(self, path: str, **parameters) -> requests.Response:
        return self.call("GET", path, params=parameters)

    def edge(self, user: str = "alice", edge: str = "posts", **parameters) -> requests.Response:
        return self.get(f"/v1/{user}/{edge}", **({"latency": 0} | parameters))

    @property
    def mail_port(self) -> int:
        return self.get("/").json()["mail"]["port"]

    def stats(self) -> dict:
        return self.get("/control/stats").json()

    def raw(self, request: bytes, port: int | None = None) -> bytes:
        """Send these very bytes; all that comes back until the server closes the connection."""
        with socket.create_connection(("127.0.0.1", port or self.port), timeout=DEADLINE_SECONDS) as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(DEADLINE_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(DEADLINE_SECONDS)


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    """One server for all tests that leave it as they found it."""
    server = FakeFb(tmp_path_factory.mktemp("fake_fb") / "log", "--latency", "0.3", "--mail-latency", "0.1")
    yield server
    server.stop()


@pytest.fixture
def fb(running):
    """The server, with no faults, nothing witnessed, and an empty mailbox."""
    running.call("DELETE", "/control/faults")
    running.call("DELETE", "/control/stats")
    running.call("PUT", "/control/mail", json={"down": False})
    running.call("DELETE", "/control/mail")
    return running


@pytest.fixture
def start(tmp_path):
    """Starts further servers: ``start("--latency", "1")``. They are stopped after the test."""
    servers = []

    def start(*options: str, **environment: str) -> FakeFb:
        servers.append(FakeFb(tmp_path / f"log{len(servers)}", *options, **environment))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def eventually():
    """Waits until a condition holds: ``eventually(lambda: ...)``."""

    def eventually(condition) -> None:
        wait_until(condition, DEADLINE_SECONDS, lambda: "it never came to hold", pause=0.01)

    return eventually
