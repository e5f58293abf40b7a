"""The systems that are measured beside each other, as the harness sees them: an address, a token,
the processes to watch, and when they are done with what they were given.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from bench.ground import until
from bench.peers.running import running
from tests.stack.stack import Stack


@dataclass(frozen=True)
class System:
    """`serving`: the processes that answer requests and publish events. `following`: those that do
    something with the events. `left`: how much of what was filed has not had its effects yet.
    """

    name: str
    url: str
    token: str
    serving: Callable[[], list[int]]
    following: Callable[[], list[int]]
    filed: Callable[[], int]
    left: Callable[[], int]

    def settle(self) -> None:
        """Wait until nothing is left to do; raises TimeoutError."""
        until(lambda: self.left() == 0, lambda: f"{self.name} has {self.left()} left to do")


def linli(stack: Stack) -> System:
    """The system itself."""

    def filed() -> int:
        return int(stack.value("tickets", "SELECT count(*) FROM tickets"))

    def left() -> int:
        outbox = int(stack.value("tickets", "SELECT count(*) FROM outbox"))
        queued = "SELECT count(*) FROM delivery WHERE state = 'queued'"
        if outbox or stack.value("notifications", queued):
            return outbox + 1
        told = "SELECT count(DISTINCT ticket) FROM notification"
        return filed() - int(stack.value("notifications", told))

    return System(
        name="linli",
        url=stack.ready["url"],
        token=stack.ready["api_key"],
        serving=lambda: [stack.pid(name) for name in ("gateway", "tickets")],
        following=lambda: [stack.pid(name) for name in ("residents", "notifications")],
        filed=filed,
        left=left,
    )


@contextmanager
def systems(stack: Stack) -> Iterator[list[System]]:
    """Linli and its peers, running side by side on the same servers."""
    with running("modern", stack) as modern, running("stock", stack) as stock:
        peers = [
            System(
                name=peer.name,
                url=peer.url,
                token=peer.token,
                serving=peer.pids,
                following=list,
                filed=peer.filed,
                left=peer.left,
            )
            for peer in (modern, stock)
        ]
        yield [linli(stack), *peers]


def servers(stack: Stack) -> Mapping[str, list[int]]:
    """The processes of PostgreSQL and RabbitMQ."""
    return {"postgres": [stack.postgres.pid], "rabbitmq": [stack.rabbitmq.pid]}
