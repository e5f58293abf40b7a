"""What waits for the departments: how full each queue of theirs is, and whether it is read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chassis import topology
from deploy.broker import Broker
from deploy.permissions import department_policies, granted_departments


@dataclass(frozen=True)
class Backlog:
    """A department's queue: messages that wait and are with its `readers`, who are connected now.

    `percent` is how full it is, by number or by bytes, whichever is more; at 100 the oldest
    messages go. `missing`: it was granted and is not there, so that its events are lost. The
    counts are some seconds old.
    """

    department: str
    queue: str
    messages: int
    readers: int
    percent: float
    missing: bool = False

    @property
    def unread(self) -> bool:
        """Something waits, and nobody is there to read it."""
        return bool(self.messages) and not self.readers

    def __str__(self) -> str:
        if self.missing:
            return f"{self.queue}: is not there; grant it again"
        readers = f"{self.readers} reader{'' if self.readers == 1 else 's'}"
        return f"{self.queue}: {self.messages} messages, {self.percent:.0f} % full, {readers}"


def backlogs(broker: Broker) -> Iterator[Backlog]:
    """Every queue of every granted department, by name. Raises ManagementError."""
    snapshot = broker.snapshot()
    for code in granted_departments(snapshot):
        granted, log = topology.subscriber_queue(code), topology.subscriber_log(code)
        own = {name for name in snapshot.queues if name.startswith(f"{code}.")}
        for name in sorted(own - {log} | {granted}):
            yield _backlog(code, name, broker.management.get("queues", broker.vhost, name))


def _backlog(code: str, name: str, queue: dict[str, Any] | None) -> Backlog:
    if queue is None:
        return Backlog(code, name, 0, 0, 0.0, missing=True)
    policies = department_policies(code)
    limits = policies.get(name, policies[code])["definition"]
    # The broker begins to count a new queue only after some seconds.
    messages, size = queue.get("messages", 0), queue.get("message_bytes", 0)
    share = max(messages / limits["max-length"], size / limits["max-length-bytes"])
    return Backlog(code, name, messages, queue.get("consumers", 0), round(100 * share, 1))
