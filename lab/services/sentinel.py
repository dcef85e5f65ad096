"""A Sentinel of the lab's own: a process that watches one Redis, and makes its replica the primary when it is gone."""

from pathlib import Path

import redis

from ..basics.errors import LabError
from ..basics.places import LOOPBACK
from .keeper import CannotStart, Keeper
from .process import Process
from .redis_server import MOST_ATTEMPTS, NONE_HERE, START_SECONDS, RedisServer, free_port, server_binary

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
        self._keeper, self._name, self._primary, self._down_after = keeper, name, primary, down_after
        self._folder = keeper.folder / name
        self._folder.mkdir()
        for attempt in range(MOST_ATTEMPTS):
            try:
                self._launch(free_port())
            except LabError as error:
                # Another program took the port in between: choose again.
                if "Address already in use" not in str(error) or attempt == MOST_ATTEMPTS - 1:
                    raise
                self._name = f"{name}-{attempt + 2}"  # with a log of its own
            else:
                return

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

    def _launch(self, port: int) -> None:
        self.port, self.url = port, f"sentinel://{LOOPBACK}:{port}"
        self.command = f"redis-server {self._name}.conf --sentinel"
        file = self._folder / f"{self._name}.conf"
        file.write_text(self._configuration(self._folder))
        with self._keeper.attempt():
            try:
                argv = [str(server_binary()), str(file), "--sentinel"]
                self.process = Process(self._keeper, self._name, argv, cwd=self._folder)
            except CannotStart as error:
                raise LabError(NONE_HERE.format(error)) from None
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
