"""`lab.mail`: the mail server beside the mock Facebook, as the notebooks see it."""

import json
import smtplib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from lab.basics.errors import LabError
from lab.services.facebook import FakeFacebook
from lab.services.mail import AcceptedMail, MailControl


@pytest.fixture(scope="module")
def mail(start_facebook) -> MailControl:
    return MailControl(FakeFacebook(start_facebook()))


def send(server: MailControl, to: str, subject: str, text: str) -> None:
    with smtplib.SMTP(server.address, local_hostname="localhost", timeout=30) as client:
        client.sendmail("a@example.com", [to], f"Subject: {subject}\r\n\r\n{text}".encode())


def test_the_inbox_holds_what_was_accepted(mail):
    mail.forget()
    send(mail, "ada@example.com", "Activate", "first")
    send(mail, "bob@example.com", "Activate too", "second")
    first, second = mail.inbox()
    assert (first.to, first.subject, first.text) == (["ada@example.com"], "Activate", "first\n")
    assert (second.to, second.subject, second.text) == (["bob@example.com"], "Activate too", "second\n")
    for each in (first, second):
        assert isinstance(each, AcceptedMail)
        assert mail.latency == 2.5 <= each.end - each.arrival + 2e-6 < 2.5 + 30  # times are rounded to microseconds
    assert first.end <= second.arrival
    mail.forget()
    assert mail.inbox() == []


def test_it_can_be_down_and_up_again(mail):
    mail.down()
    with pytest.raises(ConnectionRefusedError):
        smtplib.SMTP(mail.address, timeout=30)
    mail.up()
    with smtplib.SMTP(mail.address, local_hostname="localhost", timeout=30) as client:
        assert client.noop()[0] == 250


class Identity(BaseHTTPRequestHandler):
    """Says what it is as a mock Facebook in a container does, or an older one."""

    def do_GET(self) -> None:
        identity = {"name": "fake_fb", "latency": 2.0, "edges": []}
        if self.path == "/container/":
            identity["mail"] = {"host": "0.0.0.0", "port": 8025, "latency": 2.5}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(identity).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def imitation() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Identity) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_it_is_where_the_mock_facebook_is_whatever_that_calls_its_host(imitation):
    assert MailControl(FakeFacebook(f"{imitation}/container")).address == "127.0.0.1:8025"


def test_a_mock_facebook_without_mail_is_told(imitation):
    with pytest.raises(LabError, match="without a mail server") as raised:
        MailControl(FakeFacebook(imitation))
    assert "\n" not in str(raised.value)


def use():
    """Before the lab is open, then after."""
    import lab

    try:
        said = str(lab.mail)
    except lab.LabError as error:
        said = str(error)
    lab.start()
    from tasks import send_activation_email

    lab.mail.forget()
    send_activation_email.delay("ada@example.com").get(timeout=60)
    return {"said": said, "inbox": [mail.to for mail in lab.mail.inbox()]}


def test_a_task_of_an_open_lab_sends_mail_to_it(place):
    evidence = place.witness(use)
    assert evidence["said"] == "The lab is not open yet: run lab.start() first."
    assert evidence["inbox"] == [["ada@example.com"]]
