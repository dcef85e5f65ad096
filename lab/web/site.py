"""`lab.serve`: a cell's own web site, served for real while other cells run.

In the notebook's thread, `serve` takes a free port and starts a second thread, then waits until the site accepts
connections. In that thread an event loop of the site's own serves it, because the kernel's stands still while a cell
runs. For each request the router `Door` finds the handler, and the site notes when it begins and when it is through.

What Tornado logs in that thread goes to `Site.log()` and nowhere else: on the kernel's stderr it would land below
whatever cell is running at that moment.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..basics.errors import LabError
from ..basics.places import LOOPBACK

if TYPE_CHECKING:  # Tornado is slow to import, and not every notebook has a site
    from tornado.httputil import HTTPServerRequest
    from tornado.web import Application, RequestHandler

VISITOR = "X-Lab-Visitor"  # the header by which the site knows the visitors of `lab.visit`
START_STOP_SECONDS = 10  # in which a site starts, and, once its requests are answered, ends
MOST_LINES = 1000  # of the log
LOGGERS = ("tornado.access", "tornado.application", "tornado.general", "asyncio", "")

_sites: dict[str, "Site"] = {}  # those that are served, by host and port


@dataclass
class Handling:
    """When the site began and ended to handle a request, by `time.perf_counter`; None: not yet."""

    begin: float | None = None
    end: float | None = None
    over: threading.Event = field(default_factory=threading.Event)  # the end is noted, and the request is logged


class Site:
    """A web site that is served until `stop()`, or until the kernel ends. `lab.serve` makes it."""

    def __init__(self, app: "Application") -> None:
        from tornado.netutil import bind_sockets

        self._app = app
        self._handlings: dict[str, Handling] = {}
        self._log: deque[str] = deque(maxlen=MOST_LINES)
        try:
            self._sockets = bind_sockets(0, LOOPBACK)
        except OSError as error:
            raise LabError(f"The site can't be served: {error}. Restart the kernel and try again.") from None
        self._place = f"{LOOPBACK}:{self._sockets[0].getsockname()[1]}"
        self.url = f"http://{self._place}"
        self._started = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"site {self._place}", daemon=True)

    def __repr__(self) -> str:
        return f"site at {self.url}" + ("" if self._thread.is_alive() else ", stopped")

    def log(self) -> str:
        """What Tornado logged for this site: a line for each request, and errors with their traceback."""
        return "\n".join(self._log)

    def stop(self) -> None:
        """Stop serving. Raises `LabError` if a handler that blocks is still not through after `START_STOP_SECONDS`."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join(START_STOP_SECONDS)
        if self._thread.is_alive():
            raise LabError(f"The {self!r} still handles requests. Wait for their end, or restart the kernel.")

    # For `lab.serve` and `lab.visit`

    def start(self) -> "Site":
        """Serve. Returns when the site accepts connections; raises `LabError` if it can't."""
        self._thread.start()
        if not self._started.wait(START_STOP_SECONDS):
            raise LabError(f"The site did not start within {START_STOP_SECONDS} s. Close other programs and try again.")
        if self._failure:
            raise LabError(f"The site can't be served: {self._failure!r}. Restart the kernel and try again.")
        return self

    def expect(self, visitor: str) -> Handling:
        """Record when the site handles this visitor's request."""
        self._handlings[visitor] = Handling()
        return self._handlings[visitor]

    def forget(self, visitor: str) -> None:
        self._handlings.pop(visitor, None)

    # The thread of the site

    def _run(self) -> None:
        loggers = [logging.getLogger(name) for name in LOGGERS]
        if loggers[0].level == logging.NOTSET:
            loggers[0].setLevel(logging.INFO)  # else the lines of requests that went well are not even made
        for logger in loggers:
            logger.addFilter(self._take)
        try:
            asyncio.run(self._serve())
        except Exception as error:
            self._failure = error
        finally:
            _sites.pop(self._place, None)
            for listening in self._sockets:
                listening.close()
            for logger in loggers:
                logger.removeFilter(self._take)
            self._started.set()

    async def _serve(self) -> None:
        from tornado.httpserver import HTTPServer

        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        server = HTTPServer(_witnessed(self._app, self))
        server.add_sockets(self._sockets)
        _sites[self._place] = self
        self._started.set()
        await self._stopped.wait()
        server.stop()
        await server.close_all_connections()

    def _take(self, record: logging.LogRecord) -> bool:
        """A filter of loggers: what was logged in the site's thread is kept here and goes no further."""
        if record.thread != self._thread.ident:
            return True
        self._log.append(logging.Formatter("%(levelname)s %(message)s").format(record))
        return False

    def _begins(self, request: "HTTPServerRequest") -> None:
        if handling := self._handlings.get(request.headers.get(VISITOR, "")):
            handling.begin = time.perf_counter()

    def _ends(self, request: "HTTPServerRequest") -> None:
        if handling := self._handlings.get(request.headers.get(VISITOR, "")):
            handling.end = time.perf_counter()
            handling.begin = handling.begin or handling.end  # refused before it began
            handling.over.set()


def serve(app: "Application") -> Site:
    """Serve a Tornado application on a free port of this machine, until `Site.stop()` or the kernel's end.

    app: a `tornado.web.Application`; `lab.serve(app).url` is where it is served

    Served again, the application gets a second site and the first one goes on: another cell may still use its
    address. Raises `LabError` if `app` is not an application, or can't be served.
    """
    from tornado.web import Application

    if not isinstance(app, Application):
        given = f"the class {app.__name__}" if isinstance(app, type) else type(app).__name__
        raise LabError(
            f"lab.serve takes an application, for example tornado.web.Application([('/signup', SignUp)]), not {given}."
        )
    return Site(app).start()


def site_at(url: str) -> Site | None:
    """The site of this kernel that is served there."""
    return _sites.get(urlsplit(url).netloc)


def _witnessed(app: "Application", site: Site) -> Any:
    """The application, unchanged, behind a router that lets the site know when a handler begins and ends."""
    from tornado.routing import Router

    def witnessed(handler: "type[RequestHandler]") -> "type[RequestHandler]":
        class Witnessed(handler):  # type: ignore[misc, valid-type]  # a class that the reader wrote
            def prepare(self) -> Any:
                site._begins(self.request)
                return super().prepare()

            def on_finish(self) -> None:
                site._ends(self.request)
                super().on_finish()

        return Witnessed

    class Door(Router):
        def find_handler(self, request: "HTTPServerRequest", **options: Any) -> Any:
            delegate = app.find_handler(request, **options)
            delegate.handler_class = witnessed(delegate.handler_class)
            return delegate

    return Door()
