"""Addresses that the lab can't use, and servers that refuse: one sentence each, and no password in it."""

import os
import signal

import pytest
from tornado.testing import bind_unused_port

from lab.basics.errors import LabError
from lab.services.named_redis import check_address
from lab.services.redis_database import TRIAL_SECONDS
from tests.lab.starts import check_refused, start_it

PASSWORDS = [
    "zebra@quagga",
    "zebra/quagga",
    "zebra%quagga",
    "zebra%40quagga",
    "63736/62621@quagga",
    "zeb?ra#quagga",
    "z[q",
]
PIECES = ("zeb", "quagga", "63736", "62621", "z[q")  # ports that no system hands out by itself


def addresses(port):
    return {
        "unix:///run/redis.sock": "socket",
        "redis+socket:///run/redis.sock": "socket",
        f"redis://127.0.0.1:{port}?db=3": "redis://HOST:PORT/3",
        f"redis://127.0.0.1:{port}/0?db=3&protocol=3": "redis://HOST:PORT/3",
        f"redis://127.0.0.1:{port}/0#3": "redis://HOST:PORT/DATABASE",
        f"redis://127.0.0.1:{port}/zero": "redis://HOST:PORT/DATABASE",
        "redis://": "redis://HOST:PORT/DATABASE",
        "redis://127.0.0.1:port/0": "redis://HOST:PORT/DATABASE",
        "redis://127.0.0.1:99999/0": "redis://HOST:PORT/DATABASE",
        f"amqp://127.0.0.1:{port}//": "redis://HOST:PORT/DATABASE",
        f"127.0.0.1:{port}": "redis://HOST:PORT/DATABASE",
        f"sentinel://127.0.0.1:{port}/0": "redis://HOST:PORT/DATABASE",
        "redis://no-such-host.invalid:6379/0": "No Redis answers at no-such-host.invalid:6379",
        f"redis://127.0.0.1:{port}/99": "no database of that number",
        f" redis://127.0.0.1:{port}/0": "redis://HOST:PORT/DATABASE",
        f"rediss://127.0.0.1:{port}/0": "REDIS_URL",
    }


@pytest.mark.parametrize("number", range(len(addresses(1))), ids=addresses(1).keys())
def test_an_address_that_celery_cannot_use(run_lab, plain_redis, number):
    url, words = list(addresses(plain_redis.port).items())[number]
    check_refused(run_lab(start_it, REDIS_URL=url), words)
    assert plain_redis.info("keyspace") == {}


@pytest.fixture(scope="module")
def plain_redis(start_redis):
    return start_redis()


def acl(*rules):
    return ["--user", "ada", "on", ">lovelace", *rules]


ALL = ["+@all", "~*", "&*"]
SERVERS = {
    "no channels": (acl("+@all", "~*", "resetchannels"), "channels"),
    "some channels": (acl("+@all", "~*", "resetchannels", "&other"), "channels"),
    "some keys": (acl("+@all", "~app:*", "&*"), "keys"),
    "no blocking": (acl(*ALL, "-brpop"), "BRPOP"),
    "no scripts": (acl(*ALL, "-@scripting"), "EVALSHA"),
    "no transactions": (acl(*ALL, "-multi"), "EXEC"),
    "no databases": (acl(*ALL, "-select"), "SELECT"),
    "no info": (acl(*ALL, "-info"), "INFO"),
    "read only": (acl("+@read", "+@connection", "+info", "~*", "&*"), "run"),
    "off": (["--user", "ada", "off", ">lovelace"], "login"),
    "full": ([*acl(*ALL), "--maxmemory", "1"], "full"),
    "one database": ([*acl(*ALL), "--databases", "1"], "empty database"),
    "a cluster": ([*acl(*ALL), "--cluster-enabled", "yes"], "cluster"),
    "a replica": ([*acl(*ALL), "--replicaof", "127.0.0.1", "1"], "replica"),
    "few replicas": ([*acl(*ALL), "--min-replicas-to-write", "1"], "NOREPLICAS"),
    "another name for a command": ([*acl(*ALL), "--rename-command", "BRPOP", ""], "BRPOP"),
    "few clients": ([*acl(*ALL), "--maxclients", "1"], "clients"),
}


@pytest.mark.parametrize(("options", "words"), SERVERS.values(), ids=SERVERS.keys())
def test_a_server_that_refuses(run_lab, start_redis, options, words):
    if words == "cluster":  # its second port would be ten thousand above the first, and that may be too high
        listening, port = bind_unused_port()
        listening.close()
        options = [*options, "--cluster-port", str(port)]
    client = start_redis(*options)
    before = client.info("keyspace") if words != "clients" else {}
    url = f"redis://ada:lovelace@127.0.0.1:{client.port}/0"
    outcome = run_lab(start_it, REDIS_URL=url)
    check_refused(outcome, words, f"127.0.0.1:{client.port}")
    assert "lovelace" not in outcome.evidence["said"] + outcome.err
    assert client.info("keyspace") == before == {}


@pytest.mark.parametrize("command", ["-del", "-get", "-type", "-scan"])
def test_a_server_that_lets_write_and_not_tidy_up(run_lab, start_redis, command):
    client = start_redis(*acl(*ALL, command))
    check_refused(run_lab(start_it, REDIS_URL=f"redis://ada:lovelace@127.0.0.1:{client.port}/0"), command[1:].upper())
    client.execute_command("SELECT", 1)
    assert all(0 < client.ttl(key) <= TRIAL_SECONDS for key in client.scan_iter())  # they go by themselves


@pytest.mark.parametrize(
    "url",
    ["redis://127.0.0.1:0/0", "rediss://127.0.0.1:1/0", "rediss://127.0.0.1:1/0?ssl_ca_certs=x"]
    + ["rediss://127.0.0.1:1/0?ssl_cert_reqs=CERT_NONE", "redis://127.0.0.1:1/0?ssl_cert_reqs=none"],
)
def test_an_address_that_redis_py_and_celery_read_differently(url):
    with pytest.raises(LabError):
        check_address(url)


@pytest.mark.parametrize("query", ["ssl_cert_reqs=none", "ssl_ca_certs=x&ssl_cert_reqs=required"])
def test_an_address_of_a_secure_connection(query):
    check_address(f"rediss://:p%40w@redis.example:6380/2?{query}")


def test_a_server_that_is_frozen_and_one_that_is_not_there(run_lab, start_redis):
    client = start_redis()
    os.kill(client.server.process.pid, signal.SIGSTOP)
    check_refused(run_lab(start_it, REDIS_URL=f"redis://127.0.0.1:{client.port}/0"), "does not answer")
    check_refused(run_lab(start_it, REDIS_URL="redis://127.0.0.1:1/0"), "No Redis answers at 127.0.0.1:1")


# Passwords


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
@pytest.mark.parametrize("password", PASSWORDS)
def test_no_part_of_a_password_is_told(run_lab, start_redis, password, right):
    client = start_redis("--requirepass", password if right else "another", password=password if right else "another")
    outcome = run_lab(start_it, REDIS_URL=f"redis://:{password}@127.0.0.1:{client.port}/0")
    seen = outcome.evidence
    if not seen["items"]:
        check_refused(outcome, "REDIS_URL")
    told = outcome.out + outcome.err + seen["said"] + seen["told"]
    assert not [piece for piece in PIECES if piece in told], told


def test_a_password_that_is_quoted_works(run_lab, start_redis):
    client = start_redis("--requirepass", "a@b/c%d", password="a@b/c%d")
    outcome = run_lab(start_it, REDIS_URL=f"redis://:a%40b%2Fc%25d@127.0.0.1:{client.port}/0")
    assert outcome.evidence["items"] == 1, outcome
    assert "a@b" not in outcome.out + outcome.evidence["told"] and "%40" not in outcome.out + outcome.evidence["told"]


@pytest.mark.parametrize("password", PASSWORDS)
def test_nor_of_one_in_the_address_of_a_mock_facebook(run_lab, password):
    outcome = run_lab(start_it, FAKE_FB_URL=f"http://ada:{password}@127.0.0.1:1")
    check_refused(outcome, "FAKE_FB_URL")
    assert not [piece for piece in PIECES if piece in outcome.evidence["said"] + outcome.err + outcome.out]
