"""Sockets that listen, for HTTP and for mail."""

import errno
import random
import socket

from tornado.netutil import bind_sockets

# The usual default of about 100 is too short for a burst of connections: the system drops the SYNs that do not
# fit, the client sends them again a second later, and the server looks slow although it is not.
# (The system has its own upper limit: 4096 on Linux, see net.core.somaxconn; 128 on macOS.)
BACKLOG_CONNECTIONS = 4096

# Below the ports that Linux (from 32768) and macOS (from 49152) choose automatically.
KEEPABLE_PORTS = range(20_000, 32_768)


def sockets(host: str, port: int) -> list[socket.socket]:
    """Listening sockets, one for each address that the host name has. ``port`` 0 takes a free one.

    OSError: the address is not available.
    """
    try:
        return bind_sockets(port, host, backlog=BACKLOG_CONNECTIONS)
    except UnicodeError:  # not even the shape of a host name
        raise OSError(errno.EINVAL, "not a host name") from None


def keepable(host: str) -> list[socket.socket]:
    """Listening sockets on a free port that no other program gets by chance, so that it can be closed for a while."""
    for port in random.sample(KEEPABLE_PORTS, 100):
        try:
            return sockets(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise OSError(
        errno.EADDRINUSE, f"no free port among a hundred of {KEEPABLE_PORTS.start} to {KEEPABLE_PORTS.stop - 1}"
    )
