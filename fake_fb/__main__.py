"""The command line: ``python -m fake_fb [--host 127.0.0.1] [--port 8000] [--latency 2.0]
[--mail-port 8025] [--mail-latency 2.5] [--ready-file FILE]``."""

import argparse
import asyncio
import errno
import gc
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from . import params
from .files import raise_file_limit
from .mail import MailServer
from .server import Server


class Parser(argparse.ArgumentParser):
    """Reports a wrong option in one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def port_number(text: str) -> int:
    """0 to 65535; ArgumentTypeError: anything else."""
    if text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65_535:
        return int(text)
    raise argparse.ArgumentTypeError(f"give a port from 0 (any free one) to 65535, not {text!r}")


def host_name(text: str) -> str:
    """Any text that is not empty; ArgumentTypeError: empty, which would mean all networks of this machine."""
    if text:
        return text
    raise argparse.ArgumentTypeError("give a host, such as 127.0.0.1, or 0.0.0.0 for all networks")


def seconds(text: str) -> float:
    """0 to 60; ArgumentTypeError: anything else."""
    try:
        return params.latency(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def arguments() -> argparse.Namespace:
    """The command line's options, checked."""
    parser = Parser(prog="fake_fb", description="A local mock of Facebook's Graph API, slow on purpose.")
    parser.add_argument("--host", default="127.0.0.1", type=host_name, help="where to listen (127.0.0.1)")
    parser.add_argument("--port", default=8000, type=port_number, help="0 takes a free one (8000)")
    parser.add_argument("--latency", default=2.0, type=seconds, help="seconds an answer takes (2.0)")
    parser.add_argument("--mail-port", default=8025, type=port_number, help="of the mail server, SMTP (8025)")
    parser.add_argument("--mail-latency", default=2.5, type=seconds, help="seconds a message takes (2.5)")
    parser.add_argument("--ready-file", type=Path, help="write the URL here once the server listens")
    return parser.parse_args()


class CannotListen(Exception):
    """An address is not available; the message says what to do."""


@contextmanager
def advising(host: str, port: int, option: str) -> Iterator[None]:
    """Turn an OSError into advice; ``option`` is the one that names the port."""
    try:
        yield
    except OSError as error:
        raise CannotListen(advice(error, host, port, option)) from None


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT. CannotListen: an address is not available."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    with advising(options.host, options.mail_port, "--mail-port"):
        mail = MailServer(options.host, options.mail_port, options.mail_latency)
        await mail.up()
    with advising(options.host, options.port, "--port"):
        server = Server(options.host, options.port, options.latency, mail)
    if options.ready_file:
        announce(server.url, options.ready_file)
    print(f"fake_fb listening on {server.url}", flush=True)
    await stopped.wait()
    await mail.down()
    await server.stop()


def announce(url: str, file: Path) -> None:
    """Write the URL into a file that is there only when it is complete. CannotListen: it can't be written."""
    new = file.with_name(f"{file.name}.new")
    try:
        new.write_text(url, encoding="utf-8")
        new.replace(file)
    except OSError as error:
        raise CannotListen(f"cannot write --ready-file {str(file)!r} ({error.strerror})") from None


def advice(error: OSError, host: str, port: int, option: str) -> str:
    """What to do when listening failed."""
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken: stop the program that uses it, or choose another port with {option}"
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights: choose a port from 1024 up with {option}"
    return f"cannot listen on host {host!r} ({error.strerror}): give a host name or address of this machine with --host"


def main() -> int:
    """Run the server; the exit code is 0 after a signal, 2 when it could not start."""
    options = arguments()
    raise_file_limit()
    # A thousand waiting requests are many live objects. Searching them for garbage again and again took a fifth of
    # the server's processor time. These settings make it search rarely, and skip what is already loaded.
    gc.freeze()
    gc.set_threshold(50_000)
    try:
        asyncio.run(serve(options))
    except CannotListen as error:
        print(f"fake_fb: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
