"""The proxy's own program: it passes bytes between its clients and a server, until it is told to swallow them.

A firewall that forgets a connection, or a host that vanishes, tells nobody. Each side keeps its connection open, and
hears nothing on it any more. So this program closes nothing that it has cut: it goes on reading, and throws away.

It is run by path, alone (`python -I -S proxy_script.py PORT`), and told what to do by signals, see `ORDERS`. Each order
that it has carried out is a line that it prints.
"""

import asyncio
import contextlib
import signal
import sys
from dataclasses import dataclass, field

LOOPBACK = "127.0.0.1"
PIECE = 64 * 1024  # bytes read at once
ORDERS = {signal.SIGUSR1: "cut", signal.SIGUSR2: "close the way", signal.SIGHUP: "open the way"}


@dataclass(eq=False)
class Way:
    """One connection of a client's, and the one to the server that belongs to it."""

    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    is_cut: bool = False


class Proxy:
    """All connections; those that come while `is_closed` are cut from their beginning."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ways: set[Way] = set()
        self._is_closed = False

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until it, or the server, ends the connection."""
        way = Way([writer], is_cut=self._is_closed)
        self._ways.add(way)
        try:
            if way.is_cut:  # accepted, as the system of a far host's may do, and never heard
                return await self._pass(reader, None, way)
            try:
                far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self._port)
            except OSError:
                return
            way.writers.append(far_writer)
            there = self._pass(reader, far_writer, way)
            back = self._pass(far_reader, writer, way)
            await asyncio.gather(there, back)
        finally:
            self._ways.discard(way)
            for each in way.writers:
                each.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter | None, way: Way) -> None:
        """One direction. An end is passed on as well, but on a way that is cut."""
        with contextlib.suppress(OSError):
            while data := await reader.read(PIECE):
                if not way.is_cut and writer:
                    writer.write(data)
                    await writer.drain()
        if not way.is_cut and writer:
            writer.close()

    def obey(self, order: str) -> None:
        """Carry out one of the `ORDERS`."""
        if order == "open the way":
            self._is_closed = False
        else:
            self._is_closed = self._is_closed or order == "close the way"
            for way in self._ways:
                way.is_cut = True
        print(f"done: {order}", flush=True)


async def main() -> None:
    proxy = Proxy(int(sys.argv[1]))
    for number, order in ORDERS.items():
        asyncio.get_running_loop().add_signal_handler(number, proxy.obey, order)
    server = await asyncio.start_server(proxy.accept, LOOPBACK, 0)
    print(f"port: {server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
