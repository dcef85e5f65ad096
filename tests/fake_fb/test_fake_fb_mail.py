"""The mail server, asked with smtplib as the course's task asks it, and with bytes that make no sense."""

import asyncio
import smtplib
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage

import pytest
from aiosmtpd.smtp import Envelope

from fake_fb import mail

LATENCY_SECONDS = 0.1  # of the server that the tests share
SLACK_SECONDS = 10  # of room for a busy machine


def connect(fb) -> smtplib.SMTP:
    return smtplib.SMTP("127.0.0.1", fb.mail_port, local_hostname="localhost", timeout=20)


def message(to: str = "ada@example.com", text: str = "hello\n", subject: str = "a subject") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "Photos <hello@photos.example>", to, subject
    made.set_content(text)
    return made


def send(fb, *arguments: str) -> float:
    """Send a message; the seconds from its end to the answer, which are the server's latency."""
    with connect(fb) as client:
        client.ehlo()
        client.mail("hello@photos.example")
        client.rcpt("ada@example.com")
        began = time.monotonic()
        code, answer = client.data(message(*arguments).as_bytes())
        took = time.monotonic() - began
    assert code == 250, answer
    return took


def box(fb) -> dict:
    return fb.get("/control/mail").json()


def test_it_takes_latency_to_accept_a_message(fb):
    assert LATENCY_SECONDS <= send(fb) < LATENCY_SECONDS + SLACK_SECONDS
    (kept,) = box(fb)["mail"]
    assert LATENCY_SECONDS - 2e-6 <= kept["end"] - kept["arrival"] < LATENCY_SECONDS + SLACK_SECONDS  # rounded to µs


def test_the_latency_is_the_one_asked_for(start):
    slow = start("--latency", "0", "--mail-latency", "1.2")
    assert slow.get("/").json()["mail"]["latency"] == 1.2
    assert 1.2 <= send(slow) < 1.2 + SLACK_SECONDS
    assert start().get("/").json()["mail"]["latency"] == 2.5


def test_ten_at_once_overlap(start):
    server = start("--mail-latency", "2")
    began = time.monotonic()
    with ThreadPoolExecutor(10) as pool:
        taken = list(pool.map(lambda _: send(server), range(10)))
    assert min(taken) >= 2
    assert 2 <= time.monotonic() - began < 2 + SLACK_SECONDS  # one after the other: 20
    kept = box(server)["mail"]
    assert len(kept) == 10
    # All had arrived before the first was accepted. On a machine that is very busy, at least half of them.
    assert sum(mail["arrival"] < kept[0]["end"] for mail in kept) >= 5


def test_the_mailbox_says_what_was_sent(fb):
    before = time.time()
    with connect(fb) as client:
        client.send_message(message("ada@example.com", "Grüße,\n.\n..dots\n李雷 😀\n", "Konto für Zoë ✓"))
        client.send_message(message("Bob <bob@example.com>, carol@example.org", "second\n"))
    after = time.time()
    answer = box(fb)
    assert (answer["down"], answer["in_flight"]) == (False, 0)
    first, second = answer["mail"]
    assert first.keys() == {"to", "from", "subject", "text", "arrival", "end"}
    assert (first["to"], first["from"]) == (["ada@example.com"], "hello@photos.example")
    assert (first["subject"], first["text"]) == ("Konto für Zoë ✓", "Grüße,\n.\n..dots\n李雷 😀\n")
    assert (second["to"], second["text"]) == (["bob@example.com", "carol@example.org"], "second\n")
    # Half a second of room: time.time() may be set while the test runs, the server's clock may not.
    assert before - 0.5 <= first["arrival"] < first["end"] <= second["arrival"] < second["end"] <= after + 0.5


def test_an_address_may_be_in_any_script(fb):
    with connect(fb) as client:
        client.send_message(message("zoë@exämple.com"))
    assert box(fb)["mail"][0]["to"] == ["zoë@exämple.com"]


def test_in_flight_are_those_that_wait_to_be_accepted(start, eventually):
    server = start("--mail-latency", "60")
    with ThreadPoolExecutor(2) as pool:
        pending = [pool.submit(send, server) for _ in range(2)]
        eventually(lambda: box(server)["in_flight"] == 2)
        assert box(server)["mail"] == []
        server.stop()
        assert all(isinstance(each.exception(), OSError) for each in pending)


def test_what_is_in_flight_when_the_mailbox_is_emptied_still_arrives():
    async def deliver() -> tuple[int, dict]:
        mailbox = mail.Mailbox(latency=0.01)
        pending = asyncio.create_task(handed_over(mailbox, b"text"))
        await asyncio.sleep(0)
        mailbox.clear()
        waiting = mailbox.report()["in_flight"]
        await pending
        return waiting, mailbox.report()

    waiting, report = asyncio.run(deliver())
    assert (waiting, report["in_flight"], [kept["text"] for kept in report["mail"]]) == (1, 0, ["text"])


async def handed_over(mailbox: mail.Mailbox, content: bytes) -> None:
    """What aiosmtpd does with a message."""
    envelope = Envelope()
    await mailbox.handle_MAIL(None, None, envelope, "a@example.com", [])
    envelope.content = content
    await mailbox.handle_DATA(None, None, envelope)


def test_a_message_whose_sender_goes_away_is_not_accepted(start, eventually):
    server = start("--mail-latency", "60")
    with connect(server) as client:
        client.ehlo()
        client.mail("hello@photos.example")
        client.rcpt("ada@example.com")
        client.putcmd("data")
        client.getreply()
        client.send(b"text\r\n.\r\n")
        eventually(lambda: box(server)["in_flight"] == 1)
        client.close()
    eventually(lambda: box(server)["in_flight"] == 0)
    assert box(server)["mail"] == []


def test_forget(fb):
    send(fb)
    assert len(box(fb)["mail"]) == 1
    assert fb.call("DELETE", "/control/mail").json() == {"success": True}
    assert box(fb) == {"down": False, "in_flight": 0, "mail": []}


IMPOSSIBLE = {
    "ada@nowhere.invalid": (550, b"5.1.2 <ada@nowhere.invalid>: there is no domain nowhere.invalid"),
    "ada@INVALID": (550, b"5.1.2 <ada@INVALID>: there is no domain INVALID"),
    "nobody": (550, b"5.1.3 <nobody>: not an address"),
    "ada@exa$mple.com": (550, b"5.1.3 <ada@exa$mple.com>: not an address"),
    "@": (553, b"5.1.3 Error: malformed address"),
}


def test_recipients_that_cannot_exist_are_refused_at_once(start):
    slow = start("--mail-latency", "60")
    began = time.monotonic()
    with connect(slow) as client, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        client.sendmail("hello@photos.example", list(IMPOSSIBLE), b"text")
    assert time.monotonic() - began < 30
    assert refused.value.recipients == IMPOSSIBLE
    assert box(slow)["mail"] == []


def test_other_recipients_are_served_all_the_same(fb):
    with connect(fb) as client:
        refused = client.sendmail("a@example.com", ["x@no.invalid", "ada@invalid.example"], b"Subject: s\r\n\r\ntext")
    assert refused.keys() == {"x@no.invalid"}
    (kept,) = box(fb)["mail"]
    assert kept["to"] == ["ada@invalid.example"]


def test_a_message_that_is_too_large_is_refused(fb):
    large = b"Subject: s\r\n\r\n" + b"0123456789abcdef\r\n" * 5_000
    with connect(fb) as client, pytest.raises(smtplib.SMTPSenderRefused) as announced:
        client.sendmail("a@example.com", ["ada@example.com"], large)  # smtplib says the size beforehand
    assert announced.value.smtp_code == 552
    with connect(fb) as client:
        client.helo()
        client.mail("a@example.com")
        client.rcpt("ada@example.com")
        assert client.data(large)[0] == 552
        # The connection is fit for use.
        client.sendmail("a@example.com", ["ada@example.com"], b"small")
    assert [mail["text"] for mail in box(fb)["mail"]] == ["small\n"]


def test_too_many_recipients_are_refused(fb):
    with connect(fb) as client:
        refused = client.sendmail("a@example.com", [f"u{number}@example.com" for number in range(110)], b"text")
    assert {code for code, _ in refused.values()} == {452}
    assert len(box(fb)["mail"][0]["to"]) == 100 == 110 - len(refused)


def test_down_and_up_again(fb):
    port = fb.mail_port
    for _ in range(2):  # twice is as good as once
        assert fb.call("PUT", "/control/mail", json={"down": True}).json() == {"down": True}
    assert box(fb)["down"] is True
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            connect(fb)
    for _ in range(2):
        assert fb.call("PUT", "/control/mail", json={"down": False}).json() == {"down": False}
    assert fb.mail_port == port
    send(fb)
    assert len(box(fb)["mail"]) == 1


def test_who_is_connected_when_it_goes_down_may_finish(fb):
    with connect(fb) as client:
        fb.call("PUT", "/control/mail", json={"down": True})
        client.send_message(message())
    assert len(box(fb)["mail"]) == 1


def test_a_port_that_somebody_took_meanwhile_is_told(fb):
    port = fb.mail_port
    fb.call("PUT", "/control/mail", json={"down": True})
    with socket.create_server(("127.0.0.1", port)):
        answer = fb.call("PUT", "/control/mail", json={"down": False})
        assert answer.status_code == 503
        assert str(port) in answer.json()["error"]["message"]
        assert box(fb)["down"] is True
    assert fb.call("PUT", "/control/mail", json={"down": False}).json() == {"down": False}


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"{}", b'{"down": 1}', b'{"down": null}', b'{"down": "true"}', b'{"down": true, "x": 1}']
    + [b'{"up": true}', b"\xff", b"[" * 50_000, b'{"down": NaN}'],
)
def test_bad_wishes(fb, body):
    answer = fb.call("PUT", "/control/mail", data=body)
    assert answer.status_code == 400
    assert '{"down": true}' in answer.json()["error"]["message"]
    assert box(fb)["down"] is False


def test_other_methods(fb):
    answer = fb.call("POST", "/control/mail", json={"down": True})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, DELETE, PUT")


HELLO = b"EHLO x\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<ada@example.com>\r\n"
QUIT = b"QUIT\r\n"
GARBAGE = {
    "nothing": b"",
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + QUIT,
    "bytes": bytes(range(256)) + b"\r\n" + QUIT,
    "bogus": b"\xff\xfe\r\n" + b"BOGUS\r\n" * 10,
    "long line": b"x" * 100_000 + b"\r\n" + QUIT,
    "addresses": b"EHLO x\r\n"
    + b"".join(b"MAIL FROM:%s\r\n" % each for each in (b"<", b"<>", b"@", b"\xff", b"<a@"))
    + QUIT,
    "recipients": HELLO
    + b"".join(b"RCPT TO:%s\r\n" % each for each in (b"<", b"<>", b"\xff@\xff", b"<a@", b"", b'"'))
    + QUIT,
    "verify": b"EHLO x\r\nVRFY \xff\r\nVRFY <\r\nVRFY a b c\r\nHELP \xff\r\nEXPN\r\nAUTH PLAIN x\r\nAUTH LOGIN\r\n=\r\n"
    + QUIT,
    "half a message": HELLO + b"DATA\r\nSubject: s\r\n",
    "order": b"DATA\r\nRCPT TO:<a@b>\r\nRSET x\r\nEHLO\r\nHELO\r\nSTARTTLS\r\nMAIL\r\n" + QUIT,
    "long line of a message": HELLO + b"DATA\r\n" + b"x" * 5_000 + b"\r\n.\r\n" + QUIT,
}
"""What may be sent instead of mail, each on a connection of its own."""


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_garbage_leaves_no_trace(fb, garbage):
    with socket.create_connection(("127.0.0.1", fb.mail_port), timeout=20) as connection:
        connection.sendall(garbage)
        if garbage.endswith(QUIT):
            answers = b"".join(iter(lambda: connection.recv(65536), b""))
            assert answers.startswith(b"220 ") and answers.endswith(b"221 Bye\r\n")
    send(fb)
    assert fb.output() == f"fake_fb listening on {fb.url}\n"


MESSAGES = {
    "nothing": b"",
    "headers": b"Subject: =?utf-8?b?" + b"/" * 9 + b'?=\r\nContent-Type: \xff/;;="\r\nTo: <\r\nFrom: @\r\n\r\nx',
    "charset": b"Content-Type: text/plain; charset=zlib\r\n\r\nx",
    "no charset": b"Content-Type: text/plain; charset=\xff\r\n\r\nx",
    "base64": b"Content-Transfer-Encoding: base64\r\n\r\n====\xff",
    "surrogates": b"Content-Type: text/plain; charset=utf-7\r\n\r\n+2AA-",
    "parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--b\r\n\xff\r\n--b--",
    "picture": b"Content-Type: image/png\r\n\r\n\x89PNG",
    "bytes": bytes(byte for byte in range(256) if byte not in b"\r\n"),
}


@pytest.mark.parametrize("content", MESSAGES.values(), ids=MESSAGES)
def test_a_message_that_makes_no_sense_is_kept_as_good_as_it_can(fb, content):
    with connect(fb) as client:
        client.sendmail("a@example.com", ["ada@example.com"], content)
    (kept,) = box(fb)["mail"]
    (kept["subject"] + kept["text"]).encode()  # no surrogates, which could not be printed
    assert fb.output() == f"fake_fb listening on {fb.url}\n"


def test_the_mailbox_keeps_the_newest(monkeypatch):
    assert mail.MOST_MESSAGES * mail.LARGEST_MESSAGE_BYTES < 100e6
    monkeypatch.setattr(mail, "MOST_MESSAGES", 3)

    async def five() -> list[str]:
        mailbox = mail.Mailbox(latency=0)
        for number in range(5):
            await handed_over(mailbox, b"%d" % number)
        return [kept["text"] for kept in mailbox.report()["mail"]]

    assert asyncio.run(five()) == ["2", "3", "4"]


def test_signals_stop_it_while_a_message_waits(start, eventually):
    server = start("--mail-latency", "60")
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(send, server)
        eventually(lambda: box(server)["in_flight"] == 1)
        server.process.terminate()
        assert server.process.wait(10) == 0
        with pytest.raises(OSError):  # smtplib.SMTPServerDisconnected is one too
            pending.result(20)
    assert server.output() == f"fake_fb listening on {server.url}\n"
