"""The exercises of notebook 10b, Refused, full, replaced: for each its check, a hint,
and one solution."""

import time
from collections.abc import Callable
from typing import Any

import redis

import lab
from lab.cells.exercises import hint
from notebooks.ledger import (
    begun,
    client_of,
    cut_connections,
    ended_twice,
    fill,
    new_site,
    packed,
    send,
    start_worker,
)


@hint("Two sections end with a setting that a worker needs: which accident had which?")
def check_sturdy(sturdy: dict[str, Any]) -> None:
    server = lab.redis_server()
    client, site = client_of(server), new_site(server.url)
    name = f"sturdy-{server.port}"
    worker = start_worker(server.url, concurrency=2, **sturdy)
    try:
        late = f"{name}-late"
        send(site, late, 2, late=True)
        worker.wait_for("it began", lambda: begun(late), timeout=20)
        cut_connections(client)
        worker.wait_for(
            "all was done", lambda: ended_twice(server, worker, late), timeout=60
        )
        times = len(packed(late))
        client.replicaof("127.0.0.1", 1)
        time.sleep(2)
        client.replicaof("NO", "ONE")
        after = f"{name}-after"
        send(site, after)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not packed(after):
            if worker.returncode is not None:
                break
            time.sleep(0.1)
        went_on = bool(packed(after))
    finally:
        worker.kill()
        server.kill()

    assert times == 1, (
        f"its connections were cut, and the late order was packed {times} times"
    )
    assert went_on, (
        "its Redis was a replica for two seconds, and the worker did not go on"
    )


def solve_sturdy() -> dict[str, Any]:
    sturdy = {
        "broker_channel_error_retry": True,
        "worker_cancel_long_running_tasks_on_connection_loss": True,
    }
    return sturdy


@hint("config_get for the policy, info('memory') and info('replication') for the rest.")
def check_trouble(trouble: Callable[[redis.Redis], set[str]]) -> None:
    server = lab.redis_server()
    client = client_of(server)

    def asked() -> set[str]:
        return set(trouble(client_of(server)))

    try:
        _agree(asked(), set(), "an empty Redis without a limit")
        for policy in ("allkeys-lru", "allkeys-lfu", "volatile-ttl"):
            client.config_set("maxmemory-policy", policy)
            _agree(asked(), {"evicts"}, f"the policy {policy}")
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "16mb")
        fill(client, megabytes=6)
        _agree(asked(), set(), f"{_used(client):.0%} of maxmemory")
        fill(client, megabytes=12)
        _agree(asked(), {"nearly full"}, f"{_used(client):.0%} of maxmemory")
        client.config_set("maxmemory-policy", "allkeys-random")
        client.replicaof("127.0.0.1", 1)
        _agree(asked(), {"replica", "evicts", "nearly full"}, "all three at once")
    finally:
        server.kill()


def _used(client: redis.Redis) -> float:
    memory = client.info("memory")
    return memory["used_memory"] / memory["maxmemory"]


def _agree(found: set[str], expected: set[str], case: str) -> None:
    words = ", ".join(sorted(found)) or "nothing"
    assert found == expected, f"{case}: trouble says {words}"


def solve_trouble() -> Callable[[redis.Redis], set[str]]:
    def trouble(client):
        words = set()
        if client.info("replication")["role"] != "master":
            words.add("replica")
        memory = client.info("memory")
        if memory["maxmemory_policy"] != "noeviction":
            words.add("evicts")
        if memory["used_memory"] > 0.7 * (memory["maxmemory"] or float("inf")):
            words.add("nearly full")
        return words

    return trouble
