"""`lab.mail`: the mail server as the notebooks see it, where it is and what it accepted. It is part of `fake_fb`."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from ..basics.errors import LabError
from .facebook import FakeFacebook

CONTROL = "/control/mail"


@dataclass(frozen=True)
class AcceptedMail:
    """One message that the server accepted. Times are seconds since the Unix epoch.

    It arrives with the client's MAIL command, and ends with the answer that it is accepted.
    """

    to: list[str]
    subject: str
    text: str
    arrival: float
    end: float


class MailControl:
    """The SMTP server beside the mock Facebook, and its mailbox."""

    def __init__(self, fb: FakeFacebook) -> None:
        """Raises `LabError` if this mock Facebook has no mail server."""
        identity = fb.identity().get("mail")
        if not isinstance(identity, dict):
            raise LabError(
                f"The mock Facebook at {fb.url} is an older one, without a mail server. "
                "Stop it and start it anew from this folder: python -m fake_fb, or docker compose up --build."
            )
        # What the server calls its host may be 0.0.0.0; its URL is known to lead there.
        self.address = f"{urlsplit(fb.url).hostname}:{identity['port']}"
        self.latency: float = identity["latency"]  # seconds until a message is accepted
        self._fb = fb

    def inbox(self) -> list[AcceptedMail]:
        """What the server has accepted since the last `forget`, in that order."""
        kept = self._fb.call("GET", CONTROL)["mail"]
        return [AcceptedMail(each["to"], each["subject"], each["text"], each["arrival"], each["end"]) for each in kept]

    def forget(self) -> None:
        """Empty the mailbox."""
        self._fb.call("DELETE", CONTROL)

    def down(self) -> None:
        """Refuse all connections from now on, until `up`."""
        self._fb.call("PUT", CONTROL, json={"down": True})

    def up(self) -> None:
        """Accept connections again, at the same address."""
        self._fb.call("PUT", CONTROL, json={"down": False})
