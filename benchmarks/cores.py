"""How many processes a worker starts in a container that may use a part of the cores: writes `cores.json`.

    python benchmarks/cores.py

Needs Docker. Notebook 08b reads what it has written; tests/compose/test_cores.py compares it with what happens.
"""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).with_suffix(".json")
LIMITS = ("0.5", "1.5")  # cores that the container may use, for `docker run --cpus`
COMMAND = "timeout 20 celery -A tasks worker --without-mingle"  # its banner comes before it looks for Redis
IMAGE = "learn-celery-cores"


def processes(limit: str, *options: str) -> int:
    """The number of processes in the worker's banner. RuntimeError: there is none."""
    script = f"{COMMAND} {' '.join(options)} 2>&1 | grep -m 1 concurrency:"
    command = ["docker", "run", "--rm", "--cpus", limit, "--network", "none", IMAGE, "sh", "-c", script]
    said = subprocess.run(command, capture_output=True, text=True, timeout=120)
    found = re.search(r"concurrency: (\d+)", said.stdout)
    if not found:
        raise RuntimeError(f"{' '.join(command)}: {said.stdout[-300:]}{said.stderr[-300:]}")
    return int(found[1])


def count() -> dict[str, Any]:
    """The machine's cores, and for each limit the processes by default and with `--concurrency auto`."""
    subprocess.run(["docker", "build", "--quiet", "--tag", IMAGE, str(ROOT)], check=True, stdout=subprocess.DEVNULL)
    containers = {
        limit: {"default": processes(limit), "auto": processes(limit, "--concurrency", "auto")} for limit in LIMITS
    }
    return {"cores": os.cpu_count(), "containers": containers}


def stored() -> tuple[int, dict[str, dict[str, int]]]:
    """What `count` gave when it was stored: the machine's cores, and the containers."""
    read = json.loads(RESULTS.read_text(encoding="utf-8"))
    return read["cores"], read["containers"]


if __name__ == "__main__":
    RESULTS.write_text(json.dumps(count(), indent=1) + "\n")
    print(RESULTS.read_text(), end="")
