"""The process: its start, its end, and 2,000 requests at once."""

import asyncio
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BURST = 2000


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_stop_it_at_once(start, eventually, number):
    server = start("--latency", "60")
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(b"GET /v1/alice/posts HTTP/1.1\r\nHost: x\r\n\r\n")
        eventually(lambda: server.stats()["in_flight"] == 1)
        server.process.send_signal(number)
        assert server.process.wait(10) == 0
        assert connection.recv(100) == b""
    assert server.output() == f"fake_fb listening on {server.url}\n"


def run(*options: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "fake_fb", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)


def check_refusal(result: subprocess.CompletedProcess, *words: str) -> None:
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert all(word in result.stderr for word in words), result.stderr


def test_a_taken_port(fb):
    check_refusal(run("--port", str(fb.port), "--mail-port", "0"), f"port {fb.port}", "taken", "--port")


def test_a_taken_mail_port(fb):
    check_refusal(run("--port", "0", "--mail-port", str(fb.mail_port)), f"port {fb.mail_port}", "taken", "--mail-port")


def test_who_starts_it_finds_its_address_in_a_file(start, tmp_path):
    file = tmp_path / "a file"
    server = start("--ready-file", str(file))
    assert file.read_text() == server.url
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("a file")] == ["a file"]


def test_a_ready_file_that_cannot_be_written(tmp_path):
    check_refusal(
        run("--port", "0", "--mail-port", "0", "--ready-file", str(tmp_path / "none" / "file")), "--ready-file"
    )


# One process an argument is dear: the command line's functions are tested in test_bad_values.
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--port", "65536"], ["--port", "from 0", "to 65535"]),
        (["--latency", "nan"], ["--latency", "from 0 to 60"]),
        (["--host", "ü..a", "--port", "0", "--mail-port", "0"], ["--host"]),
        (["--bogus"], ["--bogus"]),
    ],
)
def test_bad_options(options, words):
    check_refusal(run(*options), *words)


@pytest.mark.parametrize(
    ("option", "value"),
    [("--port", value) for value in ("-1", "65536", "80x", "", "²", "1" * 5000, "8e3")]
    + [("--latency", value) for value in ("-1", "nan", "inf", "60.1", "x", "", "1_0")]
    + [("--mail-port", "65536"), ("--mail-latency", "61"), ("--host", "")],
)
def test_bad_values(monkeypatch, capsys, option, value):
    from fake_fb.__main__ import arguments

    monkeypatch.setattr(sys, "argv", ["fake_fb", f"{option}={value}"])
    with pytest.raises(SystemExit) as stopped:
        arguments()
    assert stopped.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"fake_fb: argument {option}: ")
    assert said.err.count("\n") == 1


def test_it_listens_where_host_says(start):
    server = start("--host", "localhost")
    assert server.url == f"http://localhost:{server.port}"
    assert server.get("/").json()["latency"] == 2.0


def test_it_is_on_loopback_unless_told_otherwise(fb):
    assert fb.url == f"http://127.0.0.1:{fb.port}"


@pytest.fixture
def many_files():
    """Room for the burst's sockets in this process; the server sees to its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = BURST + 500
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"the hard limit of open files is {hard}, the test needs {wanted}")
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def answer_status(port: int, user: str) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /v1/{user}/photos HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return int(answer.split(b" ", 2)[1])


async def burst(port: int) -> list[int]:
    return await asyncio.gather(*(answer_status(port, f"user{i % 50}") for i in range(BURST)))


def test_2000_slow_requests_at_once(start, many_files):
    # The latency leaves a busy machine the time to accept the last before the first is answered.
    # The server starts with the soft limit many systems have, and raises it itself.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        server = start("--latency", "3")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    began = time.monotonic()
    statuses = asyncio.run(burst(server.port))
    took = time.monotonic() - began
    assert statuses == [200] * BURST
    assert 3 <= took < 60  # one after the other it would be 6,000 s; a machine at rest needs about 5
    stats = server.stats()
    # At rest all are in flight at once; on a very busy machine the first are answered while the last still arrive.
    assert BURST / 2 < stats["peak"] <= BURST and stats["in_flight"] == 0
    assert stats["by_edge"] == {"photos": {"200": BURST}}
    print(f"{BURST} answers in {took:.2f} s; CPUs: {os.cpu_count()}")
