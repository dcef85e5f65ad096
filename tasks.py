"""The tasks of this course: functions that a Celery worker runs.

Start a worker from this folder:

celery -A tasks worker --concurrency 5 --loglevel INFO

Copy it into your project together with `celeryconfig.py`. The two need:
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

#: Seconds to wait for a connection, and for each further piece of an answer. Without
#: them, a server that never answers would keep a process of the worker busy forever.
TIMEOUT = (3.05, 30)

#: Host and port of the server that sends the site's mail, and seconds to wait for each
#: of its answers.
MAIL_SERVER = os.environ.get("MAIL_SERVER", "localhost:8025")
MAIL_TIMEOUT = 30


@app.task
def fetch_url(url: str) -> Any:
    """GET one URL, and return the JSON that the server answers.

    Raises `requests.HTTPError` for a status of 400 or more, `requests.Timeout` or
    `requests.ConnectionError` after `TIMEOUT`, and
    `requests.exceptions.InvalidJSONError` for an answer that is not JSON.
    """
    response = requests.get(url, timeout=TIMEOUT)
    response.raise_for_status()
    try:
        return response.json()
    except (ValueError, RecursionError) as error:
        # Not each of these can travel back from a worker; this one can.
        raise requests.exceptions.InvalidJSONError(f"{url}: {error}") from None


def parsed(address: str) -> Address:
    """The address as the standard library reads it.

    Raises `ValueError` if that is not exactly the text given, so that the e-mail goes
    to the address that was checked. A parser can read another address into
    "Ada <ada@example.com>", a comma, or a line break with a second header behind it.
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
    """Send the link with which a new member confirms the address.

    Raises `ValueError` for a malformed address or one that is not ASCII,
    `smtplib.SMTPRecipientsRefused` if the mail server knows that there is no such
    address, and other `OSError`s, such as `ConnectionRefusedError` and
    `smtplib.SMTPServerDisconnected`, if no mail server answers.
    """
    message = EmailMessage()
    message["From"] = "Photos <hello@photos.example>"
    message["To"] = parsed(address)
    message["Subject"] = "Activate your account"
    link = f"https://photos.example/activate/{quote(address, safe='')}"
    message.set_content(f"Welcome! Open this page to begin:\n\n{link}\n")
    # With a name given, smtplib does not look one up, which can take seconds.
    name = "localhost"
    with smtplib.SMTP(MAIL_SERVER, local_hostname=name, timeout=MAIL_TIMEOUT) as server:
        server.send_message(message, to_addrs=[address])
