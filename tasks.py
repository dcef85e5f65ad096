"""The tasks of this course: functions that a Celery worker runs.

Start one from this folder; it tells what it does:

celery -A tasks worker --concurrency 5 --loglevel INFO

Made to be copied, together with `celeryconfig.py`. What the two need:
pip install "celery[redis]" requests
"""

import os
import smtplib
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any
from urllib.parse import quote

import requests
from celery import Celery

app = Celery("tasks")
app.config_from_object("celeryconfig")

#: Seconds to wait for a connection, and for each next piece of an answer. Without them
#: a server that never answers would keep a worker process for ever.
TIMEOUT = (3.05, 30)

#: Host and port of the server that sends the site's mail, and seconds to wait for each
#: of its answers.
MAIL_SERVER = os.environ.get("MAIL_SERVER", "localhost:8025")
MAIL_TIMEOUT = 30


@app.task
def fetch_url(url: str) -> Any:
    """GET one URL and return the JSON it answers with.

    Raises `requests.HTTPError` on a status of 400 and above, `requests.Timeout` after
    `TIMEOUT` (where a part of the answer was there, `requests.ConnectionError`), and
    `requests.exceptions.InvalidJSONError` where it is not JSON.
    """
    response = requests.get(url, timeout=TIMEOUT)
    response.raise_for_status()
    try:
        return response.json()
    except (ValueError, RecursionError) as error:
        # Not all of these survive the way back from a worker; this one does.
        raise requests.exceptions.InvalidJSONError(f"{url}: {error}") from None


def parsed(address: str) -> Address:
    """The address as the standard library reads it.

    Raises `ValueError` where that is not the very text given. What is checked is then
    what is written and sent to. "Ada <ada@example.com>", a comma, a line break with a
    further header behind it: to a parser each of them can mean an address that is not
    the text.
    """
    try:
        found = Address(addr_spec=address)
    except Exception:  # this parser has many ways to fail
        found = None
    if found is None or found.addr_spec != address or not address.isascii():
        raise ValueError(f"not an e-mail address: {address!r}")
    return found


@app.task
def send_activation_email(address: str) -> None:
    """Send the e-mail by which somebody who signed up shows that the address is theirs.

    Raises `ValueError` where the address is not one, or not in ASCII,
    `smtplib.SMTPRecipientsRefused` where the mail server knows that it leads nowhere,
    and other `OSError`s, such as `ConnectionRefusedError` and
    `smtplib.SMTPServerDisconnected`, where no mail server answers.
    """
    message = EmailMessage()
    message["From"] = "Photos <hello@photos.example>"
    message["To"] = parsed(address)
    message["Subject"] = "Activate your account"
    link = f"https://photos.example/activate/{quote(address, safe='')}"
    message.set_content(f"Welcome! Open this page to begin:\n\n{link}\n")
    # smtplib would look up this machine's name, which can take seconds: it gets one.
    name = "localhost"
    with smtplib.SMTP(MAIL_SERVER, local_hostname=name, timeout=MAIL_TIMEOUT) as server:
        server.send_message(message, to_addrs=[address])
