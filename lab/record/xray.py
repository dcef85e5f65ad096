"""An x-ray of Redis, as plain data: which messages waited, which were taken, which results were there."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class XRay:
    """What was in Redis: queues by name, with their messages in the order in which they leave."""

    queues: dict[str, list[str]] = field(default_factory=dict)
    unacked: list[str] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)  # task id: state

    def __str__(self) -> str:
        rows = [("queue " + name, messages) for name, messages in self.queues.items()]
        rows += [("unacked", self.unacked), ("results", [f"{id}: {state}" for id, state in self.results.items()])]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:{width}}  {len(items)}  {', '.join(items)}".rstrip() for name, items in rows)

    __repr__ = __str__
