"""What a picture calls workers, so that a reader recognizes them: by the name, the queue or the host."""

import re
from collections.abc import Collection, Mapping, Sequence
from string import ascii_uppercase

from ..record.run import Run

MADE_UP = re.compile(r"[0-9a-f]{8,}")  # the host name of a container, which nobody chose
LAB_LABEL = "worker"  # of the lab's workers that read the queue celery


def names_of(runs: Sequence[Run]) -> Mapping[str, str]:
    """A name for each worker of a picture, by node name; none at all where no run has more than one worker.

    It is what stands before the @, without the number that a worker has which was started again: pool-of-2-2 reads
    the queue pool-of-2, so it is called pool-of-2. Workers that have the same name are called by their hosts.
    """
    workers = [list(dict.fromkeys(node for node, _ in run.processes)) for run in runs]
    if all(len(nodes) < 2 for nodes in workers):
        return {}
    nodes = list(dict.fromkeys(node for each in workers for node in each))
    names = {node: node.partition("@")[0] for node in nodes}
    if not _differ(names):
        return _hosts(nodes)
    queues = {task.queue for run in runs for task in run.tasks} | {LAB_LABEL}
    bare = {node: _without_number(name, queues) for node, name in names.items()}
    return bare if _differ(bare) else names


def _differ(names: Mapping[str, str]) -> bool:
    return len(set(names.values())) == len(names)


def _without_number(name: str, queues: Collection[str]) -> str:
    before, _, number = name.rpartition("-")
    return before if before in queues and number.isdecimal() else name


def _hosts(nodes: Sequence[str]) -> dict[str, str]:
    """The host of each worker; one whose name nobody chose is host A, B, C and so on."""
    hosts = {node: node.partition("@")[2] or node for node in nodes}
    made_up = [host for host in dict.fromkeys(hosts.values()) if MADE_UP.fullmatch(host)]
    letters = {host: f"host {_letter(place)}" for place, host in enumerate(made_up)}
    return {node: letters.get(host, host) for node, host in hosts.items()}


def _letter(place: int) -> str:
    return ascii_uppercase[place] if place < len(ascii_uppercase) else str(place + 1)
