"""The outages of notebook 10 that take minutes: what a site and a worker notice, and when, by default and otherwise.

    python benchmarks/outages.py [--seconds 150]

Each row is measured by a Python of its own, all at the same time, and stored in notebooks/outages.json, as `make
outages` does. Nothing happens in most of them, so they do not disturb each other.
"""

import argparse
import json
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import lab
from notebooks import outages

BOTH = {"socket_timeout": 1, "health_check_interval": 1}
WORKER = {"broker_transport_options": BOTH, "redis_socket_timeout": 1, "redis_retry_on_timeout": True}
KEEPALIVE = {"socket_keepalive": True, "health_check_interval": 1}
# For each row: what happens, to whom, the settings, and options of the worker.
ROWS: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "default": ("hangs", "site", {}, {}),
    "default, no result": ("hangs", "site", {}, {"ignore_result": True}),
    "default (cut)": ("cut", "site", {}, {}),
    "default (worker)": ("cut", "worker", {}, {}),
    "health check alone": ("cut", "worker", {"broker_transport_options": {"health_check_interval": 1}}, {}),
    "keepalive": ("cut", "worker", {"broker_transport_options": KEEPALIVE, "redis_socket_keepalive": True}, {}),
    "threads": ("cut", "worker", {}, {"pool": "threads"}),
    "this notebook's (stopped)": ("stopped", "worker", WORKER, {}),
    "this notebook's (hangs)": ("hangs", "worker", WORKER, {}),
    "late tasks": ("stopped", "worker", {"task_acks_late": True}, {}),
    "messages alone": ("cut", "worker", {"broker_transport_options": BOTH}, {}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Outages of Redis that take minutes.")
    parser.add_argument("--seconds", type=float, default=150, help="to look at each (150)")
    parser.add_argument("--row", choices=ROWS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.row:
        with redirect_stdout(sys.stderr):
            lab.start(worker=False, private=True)
            row = measure(*ROWS[options.row], most=options.seconds)
        what, who = ROWS[options.row][:2]
        print(json.dumps({"what": what, "who": who, "settings": options.row.partition(" (")[0], **row}))
        return
    command = [sys.executable, __file__, "--seconds", str(options.seconds), "--row"]
    runs = [subprocess.Popen([*command, row], stdout=subprocess.PIPE, text=True) for row in ROWS]
    rows = [json.loads(run.communicate()[0]) for run in runs]
    for row in rows:
        print(row)
    text = ",\n".join(json.dumps(row) for row in rows)
    outages.STORED.write_text(f"[\n{text}\n]\n", encoding="utf-8")


def measure(what: str, who: str, settings: dict[str, Any], more: dict[str, Any], *, most: float) -> dict[str, Any]:
    """One row."""
    if settings.get("task_acks_late"):
        return outages.ended_workers(10, settings)
    proxy = lab.proxy()
    if who == "site":
        app = outages.site_app(proxy.url, **settings)
        app.send_task("tasks.fetch_url", ["x"])  # it is connected
        lab.redis.freeze() if what == "hangs" else proxy.cut()
        return outages.site(app, most=most, **more)
    worker = outages.worker_behind(proxy, **more, **settings)
    begin, end = {
        "cut": (proxy.cut, None),
        "stopped": (lab.redis.kill, lab.redis.start),
        "hangs": (lab.redis.freeze, lab.redis.thaw),
    }[what]
    return outages.watch_worker(worker, begin, end, lasts=3 if end else 2, most=most)


if __name__ == "__main__":
    main()
