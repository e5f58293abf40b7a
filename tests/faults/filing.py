"""Events without end, made past the gateway."""

import threading
import uuid
from typing import Self

from chassis.call import Actor, Call, Grant
from chassis.testing.rpc import RpcCaller
from tests.stack.clients import filing
from tests.stack.stack import Stack

THREADS = 3


class Filing:
    """Files tickets by RPC, so that events go on while the gateway is away. A context manager;
    leaving it waits until there are enough.
    """

    def __init__(self, stack: Stack, at_least: int) -> None:
        self._stack = stack
        self._left = threading.Semaphore(at_least)
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
        may = Grant("any", frozenset({"file", "acceptance", "read"}))
        with RpcCaller(self._stack.rabbitmq.amqp_uri) as caller:
            while self._left.acquire(blocking=False) or not self._ending.is_set():
                call = Call(actor=clerk, grants=(may,), command_id=str(uuid.uuid4()))
                caller.call("tickets", "file_ticket", filing(), call=call, within=30)
