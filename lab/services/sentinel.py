"""A Sentinel of the lab's own: a process that watches one Redis, and makes its replica the primary when it is gone."""

from pathlib import Path

import redis

from ..basics.places import LOOPBACK
from .keeper import Keeper
from .process import Process
from .redis_server import START_SECONDS, RedisServer, at_free_port, run_server

CONFIGURATION = """\
port {port}
bind {loopback}
dir {folder}
sentinel monitor {group} {loopback} {primary} 1
sentinel down-after-milliseconds {group} {milliseconds}
sentinel failover-timeout {group} 10000
"""


class Sentinel:
    """One Sentinel, which watches the Redis `primary` and its replicas, under the name `group`.

    It decides alone. In production there are three, on machines of their own, and two must agree.
    """

    process: Process

    def __init__(
        self, keeper: Keeper, primary: RedisServer, *, group: str, down_after: float, name: str = "sentinel"
    ) -> None:
        """`down_after`: seconds without an answer, after which the primary is down."""
        self.group = group
        self._keeper, self._primary, self._down_after = keeper, primary, down_after
        self._folder = keeper.folder / name
        self._folder.mkdir()
        at_free_port(name, self._launch)

    @property
    def primary_port(self) -> int:
        """The port of the Redis that is the primary now, as this Sentinel tells those who ask."""
        with redis.Redis(LOOPBACK, self.port, decode_responses=True) as client:
            _, port = client.sentinel_get_master_addr_by_name(self.group)
        return int(port)

    def wait_for_replica(self, *, timeout: float = 30) -> None:
        """Wait until it knows a replica that has all of the primary's data. Raises `LabError` after `timeout` s."""
        self.process.wait_for("a replica was ready", self._has_replica, timeout=timeout)

    def __repr__(self) -> str:
        return f"<{self._name}: {self.command}>"

    def _launch(self, port: int, name: str) -> None:
        self.port, self.url, self._name = port, f"sentinel://{LOOPBACK}:{port}", name
        self.command = f"redis-server {self._name}.conf --sentinel"
        file = self._folder / f"{self._name}.conf"
        file.write_text(self._configuration(self._folder))
        with self._keeper.attempt():
            self.process = run_server(self._keeper, self._name, [str(file), "--sentinel"], self._folder)
            self.process.wait_for("it answered", self._serves, timeout=START_SECONDS)

    def _configuration(self, folder: Path) -> str:
        return CONFIGURATION.format(
            port=self.port,
            loopback=LOOPBACK,
            folder=folder,
            group=self.group,
            primary=self._primary.port,
            milliseconds=round(1000 * self._down_after),
        )

    def _serves(self) -> bool:
        try:
            with redis.Redis(LOOPBACK, self.port, socket_timeout=2) as client:
                return client.info()["process_id"] == self.process.pid
        except redis.RedisError:
            return False

    def _has_replica(self) -> bool:
        """Whether a replica of the primary is connected to it, and this Sentinel has heard of that."""
        with redis.Redis(LOOPBACK, self.port, decode_responses=True) as client:
            replicas = client.sentinel_slaves(self.group)
        return any(replica["master-link-status"] == "ok" for replica in replicas)
