"""`lab.fb`: the mock Facebook as the notebooks see it, where it is and what it witnessed.

The server itself is the package `fake_fb`: what it answers, and with which status, is decided there.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

from ..basics.deadline import deadline
from ..basics.errors import LabError
from ..basics.places import ROOT
from ..basics.request import SeenRequest
from .keeper import Keeper
from .process import Process

TIMEOUT_SECONDS = 5  # all that the lab asks for is answered at once
LISTENS_SECONDS = 20  # until it must listen; on an idle machine it takes a third of one
LARGEST_BYTES = 100_000_000  # of an answer; all the requests that the server remembers are a tenth of it


@dataclass(frozen=True)
class Witness:
    """What the server saw since it was last told to forget."""

    requests: list[SeenRequest]
    in_flight: int
    peak: int  # the most requests that were in flight at once


class FakeFacebook:
    """The server's address and its control interface."""

    def __init__(self, url: str, timeout: float = TIMEOUT_SECONDS) -> None:
        self.url = url.rstrip("/")
        self.process: Process | None = None  # where the lab started it
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy has no business between the lab and its own server

    def __str__(self) -> str:
        return self.url

    def identity(self) -> dict[str, Any]:
        """What the server says of itself: name, latency in seconds, edges. Raises `LabError` if it is another."""
        identity = self.call("GET", "/")
        if not isinstance(identity, dict) or identity.get("name") != "fake_fb":
            raise self._other()
        return identity

    def witness(self) -> Witness:
        """What the server has seen since the last `forget`."""
        seen = self.call("GET", "/control/stats")
        return Witness([SeenRequest(**each) for each in seen["requests"]], seen["in_flight"], seen["peak"])

    def forget(self) -> None:
        """Let the server start a new count."""
        self.call("DELETE", "/control/stats")

    def fail(self, edge: str, **fault: Any) -> None:
        """Make the next answers of one edge fail: `status`, `times`, `seconds`, `retry_after`, `latency`, `drop`."""
        self.call("PUT", f"/control/faults/{edge}", json=fault)

    def charges(self) -> list[dict[str, Any]]:
        """What the bank has taken, the oldest first: id, user, order, cents, key."""
        return self.call("GET", "/control/charges")

    def forget_charges(self) -> None:
        """Let the bank forget all charges and all keys."""
        self.call("DELETE", "/control/charges")

    def heal(self) -> None:
        """End all faults."""
        self.call("DELETE", "/control/faults")

    def picture(self, path: str) -> bytes:
        """An image that the server serves, as PNG. Raises `requests.RequestException` where there is none."""
        with deadline(self._timeout, lambda: f"{path} is not there within {self._timeout:g} s."):
            response = self._session.get(self.url + path, timeout=self._timeout)
        response.raise_for_status()
        return response.content

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        """What the server answers to one call of its control interface. Raises `LabError` if it is not done."""
        silent = (
            f"The mock Facebook does not answer at {self.url} ({{}}). "
            "If the lab started it, restart the kernel and run the notebook from the top."
        )
        try:
            with deadline(self._timeout, lambda: silent.format(f"not within {self._timeout:g} s")) as check:
                ok, body = self._ask(check, method, path, **arguments)
        except requests.RequestException as error:
            raise LabError(silent.format(type(error).__name__)) from None
        try:
            answer = json.loads(body) if body else None
        except ValueError:
            raise self._other() from None
        if ok:
            return answer
        if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
            raise LabError(f"The mock Facebook refused {method} {path}: {answer['error'].get('message')}")
        raise self._other()

    def _ask(self, check: Callable[[], None], method: str, path: str, **arguments: Any) -> tuple[bool, bytes]:
        """Whether it was done, and the body of the answer, of which no more than `LARGEST_BYTES` are read."""
        with self._session.request(
            method, self.url + path, timeout=self._timeout, stream=True, allow_redirects=False, **arguments
        ) as response:
            body = bytearray()
            for piece in response.iter_content(64 * 1024):
                check()
                body += piece
                if len(body) > LARGEST_BYTES:
                    raise self._other()
        return response.status_code < 300, bytes(body)

    def _other(self) -> LabError:
        return LabError(f"What answers at {self.url} is not fake_fb.")


def start_facebook(keeper: Keeper) -> FakeFacebook:
    """Start a mock Facebook on a free port. Returns when it listens."""
    argv = [sys.executable, "-m", "fake_fb", "--port", "0", "--mail-port", "0"]
    argv += ["--ready-file", str(url_file := keeper.folder / "fake_fb.url")]
    process = Process(keeper, "fake_fb", argv, cwd=ROOT)
    process.wait_for("it listened", url_file.exists, timeout=LISTENS_SECONDS)
    fb = FakeFacebook(url_file.read_text(encoding="utf-8"))
    fb.process = process
    return fb
