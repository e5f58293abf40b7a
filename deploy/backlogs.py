"""What waits for the departments: how full the queue of each is, and whether anybody reads it."""

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
    messages go. The counts are some seconds old.
    """

    department: str
    messages: int
    readers: int
    percent: float

    def __str__(self) -> str:
        readers = f"{self.readers} reader{'' if self.readers == 1 else 's'}"
        return f"{self.department}: {self.messages} messages, {self.percent:.0f} % full, {readers}"


def backlogs(broker: Broker) -> Iterator[Backlog]:
    """Every granted department's, by code. Raises ManagementError."""
    for code in granted_departments(broker.snapshot()):
        name = topology.subscriber_queue(code)
        # A queue that the department deleted holds nothing.
        yield _backlog(code, broker.management.get("queues", broker.vhost, name) or {})


def _backlog(code: str, queue: dict[str, Any]) -> Backlog:
    limits = department_policies(code)[topology.subscriber_queue(code)]["definition"]
    # The broker begins to count a new queue only after some seconds.
    messages, size = queue.get("messages", 0), queue.get("message_bytes", 0)
    share = max(messages / limits["max-length"], size / limits["max-length-bytes"])
    return Backlog(code, messages, queue.get("consumers", 0), round(100 * share, 1))
