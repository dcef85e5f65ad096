"""The exercise of notebook 10b, Refused, full, replaced: its check, a hint, and one
solution."""

import time
from typing import Any

import lab
from lab.cells.exercises import hint
from notebooks.ledger import (
    be_replica_for,
    begun,
    client_of,
    cut_connections,
    is_over,
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
        send(site, late, 3, late=True)
        worker.wait_for("it began", lambda: begun(late), timeout=20)
        cut_connections(client)
        worker.wait_for(
            "all was done", lambda: is_over(server, worker, late), timeout=60
        )
        times = len(packed(late))
        be_replica_for(server, seconds=2)
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
