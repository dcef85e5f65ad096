"""The HTTP side: which path does what, and how answers and errors look."""

import asyncio
import json
import re
from collections.abc import Awaitable
from dataclasses import asdict
from functools import lru_cache, partial
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlencode

from tornado.httpserver import HTTPServer
from tornado.web import Application, HTTPError, RequestHandler

from . import bank, data, errors, faults, fields, listening, params, photos, shapes
from .errors import UNKNOWN_PATH, GraphError, shown
from .mail import MailServer
from .stats import Request, Stats

DEFAULT_LIMIT_ITEMS = 25
CHARGES = "charges"
LARGEST_BODY_BYTES = 64 * 1024  # a fault needs a hundred


class Handler(RequestHandler):
    """What all handlers share: JSON answers, errors as the Graph API shapes them, strict parameters."""

    methods: tuple[str, ...] = ("GET", "HEAD")

    def head(self) -> Awaitable[None] | None:
        """As GET, which Tornado sends without the body then. Where there is no GET, there is no HEAD."""
        return self.get()

    def set_default_headers(self) -> None:
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.set_header("Server", "fake_fb")

    def compute_etag(self) -> None:
        """No ETags: every answer is a whole one."""

    def answer(self, value: Any) -> None:
        self.answer_text(json.dumps(value))

    def answer_text(self, text: str) -> None:
        """``text`` is JSON."""
        self.finish(text)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Every answer with an error. Anything raised that is not a `GraphError` ends here as 500."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if status_code == 405:
            allowed = ", ".join(self.methods)
            self.set_header("Allow", allowed)
            error = GraphError(405, f"Unsupported method {shown(self.request.method)}; use {allowed}")
        elif not isinstance(error, GraphError):
            error = errors.usual(status_code)
        self.answer(errors.body(error))

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        """Clients' mistakes are answered, not logged; our own are."""
        if not isinstance(value, HTTPError):
            super().log_exception(typ, value, tb)

    def segments(self) -> list[str]:
        """The path's parts, decoded. Tornado would decode them too, but takes a raw (not percent-encoded)
        "ö" for two characters, and answers bytes that are no UTF-8 with a page of HTML."""
        raw = self.request.path.encode("latin-1").split(b"/")
        try:
            return [unquote_to_bytes(part).decode() for part in raw[1:]]
        except UnicodeDecodeError:
            raise GraphError(400, "the path must be UTF-8") from None

    def parameter(self, name: str) -> str | None:
        """A query parameter, or None where it is absent."""
        return _only(self.request.query_arguments, name)

    def base_url(self) -> str:
        """Where the client reached us, "http://host:port": from the Host header, if it is valid."""
        host = self.request.host
        if not re.fullmatch(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?", host):
            host = self.settings["address"]
        return f"http://{host}"


class NotFound(Handler):
    """All paths that no other handler serves."""

    methods = ()

    def send_error(self, status_code: int = 404, **_: Any) -> None:  # noqa: ARG002 (it is 404, whatever it was)
        # An unknown path is a 404 even if something else is wrong, too, such as the method.
        path = self.request.path
        super().send_error(404, exc_info=(None, GraphError(404, f"Unknown path {shown(path)}", UNKNOWN_PATH)))

    def prepare(self) -> None:
        raise HTTPError(404)


class Identity(Handler):
    """GET /: what this server is."""

    def get(self) -> None:
        mail: MailServer = self.settings["mail"]
        self.answer(
            {
                "name": "fake_fb",
                "latency": self.settings["latency"],
                "edges": data.EDGES,
                "mail": {"host": mail.host, "port": mail.port, "latency": mail.mailbox.latency},
            }
        )


class Slow(Handler):
    """What takes its time, is witnessed, and can be made to fail."""

    user: str
    edge: str

    def initialize(self) -> None:
        self.gone = asyncio.get_running_loop().create_future()
        self.record: Request | None = None

    def begin(self) -> None:
        """The request has arrived."""
        self.record = self.settings["stats"].begin(self.user, self.edge)

    def latency(self) -> float:
        text = self.parameter("latency")
        return self.settings["latency"] if text is None else _checked(params.latency, text)

    def fault(self) -> faults.Fault:
        """How this answer goes wrong; a fault without anything: it does not."""
        return self.settings["faults"].take(self.edge) or faults.Fault()

    async def wait(self, latency: float) -> None:
        """Until ``latency`` seconds after arrival, or until the client has gone away."""
        assert self.record is not None
        await asyncio.wait([self.gone], timeout=max(0.0, latency - self.record.age()))

    def fail(self, fault: faults.Fault) -> None:
        assert fault.status is not None
        error = errors.usual(fault.status)
        self.set_status(fault.status)
        if fault.retry_after is not None:
            self.set_header("Retry-After", f"{fault.retry_after:g}")
        self.answer(errors.body(error))

    def drop(self) -> None:
        self.end(0)
        # Detached, the connection no longer counts as Tornado's, which therefore does not answer.
        self.detach().close()

    def on_connection_close(self) -> None:
        self.end(0)
        if not self.gone.done():
            self.gone.set_result(None)

    def answer_text(self, text: str) -> None:
        self.end(self.get_status())  # before the client has it, so that all it does next comes after this end
        super().answer_text(text)

    def end(self, status: int) -> None:
        if self.record is not None:
            self.settings["stats"].end(self.record, status)


class Edge(Slow):
    """GET /v1/{user}/{edge}: one page of an edge, ``latency`` seconds after the request arrived.

    Every version gets the same answer. https://developers.facebook.com/docs/graph-api/guides/versioning
    """

    def prepare(self) -> None:
        self.version, self.user, self.edge = self.segments()
        _check_edge(self.edge)
        _checked(params.user, self.user)

    async def get(self) -> None:
        self.begin()
        latency = self.latency()
        answer = self.page()
        fault = self.fault()
        await self.wait(latency if fault.latency is None else fault.latency)
        if self.gone.done() or fault.drop:
            self.drop()
        elif fault.status is not None:
            self.fail(fault)
        else:
            self.answer_text(answer)

    def page(self) -> str:
        """The answer. It is made before the wait, so that it is ready in time.

        https://developers.facebook.com/docs/graph-api/results
        """
        text = self.parameter("limit")
        limit = DEFAULT_LIMIT_ITEMS if text is None else _checked(params.limit, text)
        items, ends = self.items(limit)
        paging: dict[str, Any] = {"cursors": {"before": ends.before, "after": ends.after}}
        if ends.has_previous:
            paging["previous"] = self.page_url(limit, before=ends.before)
        if ends.has_next:
            paging["next"] = self.page_url(limit, after=ends.after)
        return f'{{"data": {items}, "paging": {json.dumps(paging)}}}'

    def items(self, limit: int) -> tuple[str, data.Ends]:
        """The items that fields and cursors ask for, as JSON, and the ends of their page."""
        wish = self.parameter("fields")
        after, before = self.parameter("after"), self.parameter("before")
        if after is not None and before is not None:
            raise GraphError(400, "after and before exclude each other: a page begins at a cursor or ends at it")
        try:
            return items_as_json(self.user, self.edge, limit, after, before, wish, self.base_url())
        except KeyError:
            name, value = ("after", after) if before is None else ("before", before)
            message = f"{name} must be a cursor from the paging of this edge, not {shown(value)}"
            raise GraphError(400, message) from None

    def page_url(self, limit: int, **cursor: str) -> str:
        """The address of another page, with the other parameters of this request."""
        query: list[tuple[Any, Any]] = [("limit", limit), *cursor.items()]
        for name, values in self.request.query_arguments.items():
            if name not in ("limit", "after", "before"):
                # As bytes, because they may not be UTF-8; Tornado has decoded only the names.
                query += [(name.encode("latin-1"), value) for value in values]
        return f"{self.base_url()}/{self.version}/{quote(self.user, safe='')}/{self.edge}?{urlencode(query)}"


class Charges(Slow):
    """POST /v1/{user}/charges: the bank takes money for an order; ``latency`` seconds later it says so.

    The form has ``order`` and ``cents``. With an ``Idempotency-Key``, a second request gets the answer of the first,
    and no more money is taken. A fault with ``drop`` loses the answer on the way: the money is taken.
    """

    methods = ("POST",)

    def head(self) -> None:
        raise HTTPError(405)

    async def post(self) -> None:
        _, self.user, self.edge = self.segments()
        _checked(params.user, self.user)
        self.begin()
        latency = self.latency()
        order = _checked(partial(bank.text, "order"), self.form("order"))
        cents = _checked(bank.cents, self.form("cents"))
        key = self.request.headers.get("Idempotency-Key")
        if key is not None:
            _checked(partial(bank.text, "Idempotency-Key"), key)
        fault = self.fault()
        charge, is_new = None, True
        if fault.status is None:
            try:
                charge, is_new = self.settings["bank"].charge(self.user, order, cents, key)
            except bank.OtherCharge as error:
                raise GraphError(409, str(error)) from None
        await self.wait(latency if fault.latency is None else fault.latency)
        if self.gone.done() or fault.drop:
            self.drop()
        elif charge is None:
            self.fail(fault)
        else:
            self.set_status(201 if is_new else 200)
            self.answer(asdict(charge))

    def form(self, name: str) -> str | None:
        """A field of the form, or None where it is absent."""
        return _only(self.request.body_arguments, name)


class Picture(Handler):
    """GET /photos/{user}/{id}.png and /friends/{user}/{id}.png: an image, without latency."""

    def get(self) -> None:
        edge, user, name = self.segments()
        item_id = name.removesuffix(".png")
        if not name.endswith(".png") or len(user) > params.LONGEST_USER_CHARACTERS or not data.has(user, edge, item_id):
            raise GraphError(404, f"Unknown path {shown(self.request.path)}", UNKNOWN_PATH)
        self.set_header("Content-Type", "image/png")
        self.finish(photos.photo(user, item_id) if edge == "photos" else photos.portrait(user, item_id))


class SetFault(Handler):
    """PUT /control/faults/{edge}: let the next answers of an edge fail."""

    methods = ("PUT",)

    def put(self) -> None:
        edge = self.segments()[-1]
        if edge != CHARGES:
            _check_edge(edge)
        fault = _checked(faults.parse, self.request.body)
        self.settings["faults"].set(edge, fault)
        self.answer({edge: asdict(fault)})


class ControlFaults(Handler):
    """GET /control/faults: the faults that are set, by edge. DELETE: clear them."""

    methods = ("GET", "HEAD", "DELETE")

    def get(self) -> None:
        self.answer({edge: asdict(fault) for edge, fault in self.settings["faults"].current().items()})

    def delete(self) -> None:
        self.settings["faults"].clear()
        self.answer({"success": True})


class ControlStats(Handler):
    """GET /control/stats: what has arrived since the last DELETE."""

    methods = ("GET", "HEAD", "DELETE")

    def get(self) -> None:
        self.answer(self.settings["stats"].report())

    def delete(self) -> None:
        self.settings["stats"].clear()
        self.answer({"success": True})


class ControlCharges(Handler):
    """GET /control/charges: the money that the bank has taken. DELETE: forget it."""

    methods = ("GET", "HEAD", "DELETE")

    def get(self) -> None:
        self.answer(self.settings["bank"].report())

    def delete(self) -> None:
        self.settings["bank"].clear()
        self.answer({"success": True})


class ControlMail(Handler):
    """GET /control/mail: what the mail server has accepted since the last DELETE. PUT: take it down, or bring it up."""

    methods = ("GET", "HEAD", "DELETE", "PUT")

    def initialize(self) -> None:
        self.mail: MailServer = self.settings["mail"]

    def get(self) -> None:
        self.answer({"down": self.mail.is_down, **self.mail.mailbox.report()})

    def delete(self) -> None:
        self.mail.mailbox.clear()
        self.answer({"success": True})

    async def put(self) -> None:
        if _checked(params.down, self.request.body):
            await self.mail.down()
        else:
            await self.go_up()
        self.answer({"down": self.mail.is_down})

    async def go_up(self) -> None:
        try:
            await self.mail.up()
        except OSError as error:
            message = f"the mail server's port {self.mail.port} is no longer available: {error.strerror}"
            raise GraphError(503, message) from None


# For a thousand users that are requested again: to make a timeline and its JSON costs more than to serve it.
@lru_cache(maxsize=2048)
def items_as_json(
    user: str, edge: str, limit: int, after: str | None, before: str | None, wish: str | None, base: str
) -> tuple[str, data.Ends]:
    """The items of a page of an edge, as the parameter ``fields`` wishes, and the ends of the page.

    KeyError: this edge of this user has no such cursor. GraphError: ``wish`` is malformed or unknown.
    """
    wished = None if wish is None else fields.wished(wish, shapes.NODE_TYPES[edge])
    items, ends = data.page(user, edge, limit, after, before)
    shown_items = [shapes.shaped(item, edge, base) for item in items]
    if wished is not None:
        shown_items = [fields.pick(item, wished) for item in shown_items]
    return json.dumps(shown_items), ends


def _check_edge(edge: str) -> None:
    if edge not in data.EDGES:
        message = f"Unknown edge {shown(edge)}; the edges are {', '.join(data.EDGES)}"
        raise GraphError(404, message, UNKNOWN_PATH)


def _only(arguments: dict[str, list[bytes]], name: str) -> str | None:
    """The argument of this name, or None where it is absent."""
    values = arguments.get(name, [])
    if len(values) > 1:
        raise GraphError(400, f"{name} must be given at most once")
    return values[0].decode(errors="replace") if values else None


def _checked(check: Any, value: Any) -> Any:
    """The value as ``check`` returns it; a ValueError becomes an answer."""
    try:
        return check(value)
    except ValueError as error:
        raise GraphError(400, str(error)) from None


def application(latency: float, address: str, mail: MailServer) -> Application:
    """The application; ``latency`` in seconds, ``address`` ("host:port") where no Host header says it."""
    routes = [
        (r"/", Identity),
        (rf"/v[0-9]+(?:\.[0-9]+)?/[^/]*/{CHARGES}", Charges),
        (r"/v[0-9]+(?:\.[0-9]+)?/[^/]*/[^/]*", Edge),
        (r"/(?:photos|friends)/[^/]*/[^/]*", Picture),
        (r"/control/faults", ControlFaults),
        (r"/control/faults/[^/]*", SetFault),
        (r"/control/stats", ControlStats),
        (r"/control/charges", ControlCharges),
        (r"/control/mail", ControlMail),
    ]
    return Application(
        routes,
        default_handler_class=NotFound,
        log_function=lambda _handler: None,
        latency=latency,
        address=address,
        mail=mail,
        stats=Stats(),
        faults=faults.Faults(),
        bank=bank.Bank(),
    )


class Server:
    """fake_fb, listening. OSError: the address is not available."""

    def __init__(self, host: str, port: int, latency: float, mail: MailServer) -> None:
        """``port`` 0 takes a free one; ``latency`` in seconds. Needs a running event loop."""
        sockets = listening.sockets(host, port)
        shown_host = f"[{host}]" if ":" in host else host
        address = f"{shown_host}:{sockets[0].getsockname()[1]}"
        self.url = f"http://{address}"
        self._http = HTTPServer(application(latency, address, mail), max_body_size=LARGEST_BODY_BYTES)
        self._http.add_sockets(sockets)

    async def stop(self) -> None:
        """Stop at once; clients that still wait for an answer see the connection close."""
        self._http.stop()
        await self._http.close_all_connections()
