"""Events without end, made past the gateway."""

import itertools
import threading
import uuid
from typing import Any, Self

from chassis.call import Actor, Call, Grant
from chassis.testing.rpc import RpcCaller
from tests.stack.clients import filing
from tests.stack.stack import Stack

THREADS = 3
EVENTS_OF_A_FILING = 2
"""Filed, and accepted at once, for who files it may accept it."""
ASSIGNED = 5
"""Of so many tickets one is assigned to water."""


class Filing:
    """Files tickets and assigns some by RPC, so that events go on while the gateway is away. A
    context manager; leaving it waits until there are enough events.
    """

    def __init__(self, stack: Stack, at_least: int) -> None:
        self._stack = stack
        self._left = threading.Semaphore(-(-at_least // EVENTS_OF_A_FILING))
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(THREADS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        """As a clerk's commands would come from the gateway."""
        clerk = Actor(str(uuid.uuid4()), "person")
        may = Grant("any", frozenset({"file", "acceptance", "assignment", "read"}))
        with RpcCaller(self._stack.rabbitmq.amqp_uri) as caller:

            def command(method: str, body: dict[str, Any]) -> Any:
                call = Call(actor=clerk, grants=(may,), command_id=str(uuid.uuid4()))
                return caller.call("tickets", method, body, call=call, within=30)

            for number in itertools.count(1):
                if not self._left.acquire(blocking=False) and self._ending.is_set():
                    return
                filed = command("file_ticket", filing())
                if number % ASSIGNED == 0:
                    about = {"id": filed["id"], "if_match": filed["version"]}
                    command("assign", {**about, "department": "water"})
