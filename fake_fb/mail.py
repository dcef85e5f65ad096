"""The mail server: real SMTP, slow on purpose. It keeps what it accepts, and delivers nothing.

It answers 250 ``latency`` seconds after the end of a message, like a server that first looks for spam and
viruses. Recipients that can't exist are refused at once: ``.invalid`` is a domain that will never exist
(https://www.rfc-editor.org/rfc/rfc6761#section-6.4). The codes are those of RFC 5321 and RFC 3463.
"""

import asyncio
import email
import email.policy
import logging
import re
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from . import listening

MOST_MESSAGES = 1_000  # older ones are forgotten
LARGEST_MESSAGE_BYTES = 64 * 1024
MOST_RECIPIENTS = 100  # of a message; https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1.8 asks for no fewer

# Clients' mistakes are answered, not logged.
logging.getLogger("mail.log").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class Mail:
    """A message that was accepted. Arrival, the client's MAIL command, and end, the answer to its message,
    are seconds since the Unix epoch; how long it took is measured on the monotonic clock (see `stats`)."""

    sender: str
    to: list[str]
    subject: str
    text: str
    arrival: float
    end: float


class Arrival(NamedTuple):
    """When a message began to arrive."""

    epoch: float  # seconds since the Unix epoch
    began: float  # on the monotonic clock


class Mailbox:
    """What the server accepts. The ``handle_`` methods are called by aiosmtpd, once for each SMTP command."""

    def __init__(self, latency: float) -> None:
        """``latency``: seconds that a message takes to be accepted."""
        self.latency = latency
        self._in_flight = 0
        self._mail: deque[Mail] = deque(maxlen=MOST_MESSAGES)

    def clear(self) -> None:
        """Forget what was accepted. Messages in flight go on, and will be in the mailbox."""
        self._mail.clear()

    def report(self) -> dict[str, Any]:
        """The mailbox, ready for JSON, in order of acceptance; ``in_flight`` messages wait to be accepted."""
        return {
            "in_flight": self._in_flight,
            "mail": [
                {
                    "to": mail.to,
                    "from": mail.sender,
                    "subject": mail.subject,
                    "text": mail.text,
                    "arrival": mail.arrival,
                    "end": mail.end,
                }
                for mail in self._mail
            ],
        }

    async def handle_MAIL(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        envelope.arrived = Arrival(round(time.time(), 6), time.monotonic())  # type: ignore[attr-defined]  # ours
        return "250 2.1.0 Ok"

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refusal := refused(address):
            return refusal
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        self._in_flight += 1
        try:
            await asyncio.sleep(self.latency)  # ends early, with CancelledError, when the client goes away
        finally:
            self._in_flight -= 1
        subject, text = read(cast(bytes, envelope.content))
        arrived: Arrival = envelope.arrived  # type: ignore[attr-defined]  # ours
        end = round(arrived.epoch + time.monotonic() - arrived.began, 6)
        recipients = [printable(address) for address in envelope.rcpt_tos]
        sender = printable(cast(str, envelope.mail_from))
        self._mail.append(Mail(sender, recipients, subject, text, arrived.epoch, end))
        return "250 2.0.0 Ok"

    async def handle_exception(self, _error: Exception) -> str:
        """The answer to a command that Python's e-mail parser, which aiosmtpd uses, fails on: "MAIL FROM:<"."""
        return "500 5.5.2 Syntax error"


class MailServer:
    """The server. It can be down for a while, and then refuses connections."""

    def __init__(self, host: str, port: int, latency: float) -> None:
        """It is not up yet. ``port`` 0 takes a free one; ``latency`` in seconds."""
        self.host, self.port = host, port
        self.mailbox = Mailbox(latency)
        self._servers: list[asyncio.Server] = []
        self._changing = asyncio.Lock()

    @property
    def is_down(self) -> bool:
        return not self._servers

    async def up(self) -> None:
        """Accept connections, always on the same port. OSError: the address is not available."""
        async with self._changing:
            if not self.is_down:
                return
            sockets = listening.sockets(self.host, self.port) if self.port else listening.keepable(self.host)
            self.port = sockets[0].getsockname()[1]
            loop = asyncio.get_running_loop()
            self._servers = [
                await loop.create_server(self._protocol, sock=each, backlog=listening.BACKLOG_CONNECTIONS)
                for each in sockets
            ]

    async def down(self) -> None:
        """Accept no more connections. Clients that are connected may finish."""
        async with self._changing:
            for server in self._servers:
                server.close()
            self._servers = []

    def _protocol(self) -> SMTP:
        return SMTP(
            self.mailbox,
            data_size_limit=LARGEST_MESSAGE_BYTES,
            enable_SMTPUTF8=True,
            hostname="localhost",  # or aiosmtpd asks DNS for this machine's name, for every connection
            ident="fake_fb",
            loop=asyncio.get_running_loop(),
        )


def refused(address: str) -> str | None:
    """The answer to a recipient that can't exist; None for one that may."""
    local, _, domain = address.rpartition("@")
    if not local or not re.fullmatch(r"[\w-]+(\.[\w-]+)*", domain):
        return f"550 5.1.3 <{printable(address)}>: not an address"
    if re.search(r"(^|\.)invalid$", domain, re.IGNORECASE):
        return f"550 5.1.2 <{printable(address)}>: there is no domain {domain}"
    return None


def read(content: bytes) -> tuple[str, str]:
    """Subject and text of a message, decoded; for a malformed message, no subject and the whole content."""
    try:
        message = email.message_from_bytes(content, policy=email.policy.default)
        body = message.get_body(("plain", "html"))
        subject, text = str(message["Subject"] or ""), "" if body is None else body.get_content()
    except Exception:  # the parser of Python has many ways to fail on a malformed message
        subject, text = "", content.decode(errors="replace")
    return printable(subject), printable(text).replace("\r\n", "\n")


def printable(text: str) -> str:
    """The text, with "?" for bytes that were not UTF-8."""
    return text.encode(errors="replace").decode()
