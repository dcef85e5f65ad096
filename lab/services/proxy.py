"""A proxy before a Redis: a connection that can be cut without a word, as no process that ends would do it."""

import re
import signal
import sys
from pathlib import Path
from urllib.parse import urlsplit

from ..basics.errors import LabError
from ..basics.places import LOOPBACK
from .keeper import Keeper
from .process import Process

SCRIPT = Path(__file__).with_name("proxy_script.py")
START_SECONDS = 20  # until it must listen; on an idle machine it takes a tenth of one
OBEY_SECONDS = 20  # until it must have done what it is told; it takes a thousandth of one


class Proxy:
    """Passes bytes to a Redis of the lab's and back, and can swallow them.

    url: the Redis as its clients see it, through the proxy
    """

    def __init__(self, keeper: Keeper, url: str, *, name: str) -> None:
        parts = urlsplit(url)
        if parts.hostname != LOOPBACK or parts.scheme != "redis":
            raise LabError("A proxy stands before a Redis that the lab has started, and before no other.")
        with keeper.attempt():
            argv = [sys.executable, "-I", "-S", str(SCRIPT), str(parts.port)]
            self._process = Process(keeper, name, argv, cwd=keeper.folder)
            port = self._process.wait_for("it listened", self._port, timeout=START_SECONDS)
        user, at, _ = parts.netloc.rpartition("@")
        self.url = parts._replace(netloc=f"{user}{at}{LOOPBACK}:{port}").geturl()

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.returncode

    def cut(self, *, also_new: bool = False) -> None:
        """From now on swallow all that comes on the present connections, which stay open: like a firewall that has
        forgotten them. With `also_new`, on those to come as well, until `mend`: like a host that has vanished."""
        self._tell(signal.SIGUSR2 if also_new else signal.SIGUSR1)

    def mend(self) -> None:
        """New connections pass again. What was cut stays cut, as in life."""
        self._tell(signal.SIGHUP)

    def stop(self) -> None:
        """End it. Its connections are closed, which both sides notice."""
        self._process.stop()

    def _tell(self, number: int) -> None:
        before = self._done()
        self._process.signal(number)
        self._process.wait_for("it obeyed", lambda: self._done() > before, timeout=OBEY_SECONDS)

    def _done(self) -> int:
        return self._process.log().count("done: ")

    def _port(self) -> str | None:
        said = re.search(r"^port: (\d+)$", self._process.log(), re.MULTILINE)
        return said[1] if said else None

    def __repr__(self) -> str:
        return f"<proxy at {urlsplit(self.url).hostname}:{urlsplit(self.url).port}>"
