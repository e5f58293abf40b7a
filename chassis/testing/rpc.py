"""Calling a service from a test as the gateway would, without eventlet."""

import json
import time
from types import TracebackType
from typing import Any, Self

import amqp

from chassis import broker_uri, errors, topology
from chassis import call as calls
from chassis.call import Call

_REPLIES = "amq.rabbitmq.reply-to"


class RpcCaller:
    """A plain blocking client: `caller.call("tickets", "get_ticket", {"id": …}, call=…)`."""

    def __init__(self, uri: str) -> None:
        self._connection = amqp.Connection(**broker_uri.arguments(uri))
        self._connection.connect()
        self._channel = self._connection.channel()
        self._replies: dict[str, Any] = {}
        self._channel.basic_consume(_REPLIES, no_ack=True, callback=self._on_reply)
        self._channel.events["basic_return"].add(self._on_return)
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def call(
        self,
        service: str,
        method: str,
        /,
        *args: Any,
        call: Call | None = None,
        within: float = 5.0,
    ) -> Any:
        """The method's result; raises the service's error, or errors.Unavailable when none comes
        `within` seconds.
        """
        number = self.send(service, method, *args, call=call, within=within)
        answer = self._wait_for(number, within)
        if answer["error"] is not None:
            raise errors.from_wire(answer["error"])
        return answer["result"]

    def send(
        self,
        service: str,
        method: str,
        /,
        *args: Any,
        call: Call | None = None,
        within: float = 5.0,
    ) -> str:
        """Send a request whose reply nobody need wait for; its number."""
        self._number += 1
        number = str(self._number)
        headers = {} if call is None else {"linli-call": calls.encode(call)}
        request = amqp.Message(
            json.dumps({"args": args, "kwargs": {}}),
            content_type="application/json",
            content_encoding="utf-8",
            reply_to=_REPLIES,
            correlation_id=number,
            expiration=str(int(within * 1000)),
            application_headers=headers,
        )
        self._channel.basic_publish(request, topology.RPC_EXCHANGE, f"{service}.{method}", True)
        return number

    def _wait_for(self, number: str, within: float) -> Any:
        give_up = time.monotonic() + within
        while number not in self._replies:
            try:
                self._connection.drain_events(timeout=max(0.01, give_up - time.monotonic()))
            except TimeoutError:
                raise errors.Unavailable(reason="deadline") from None
        return self._replies.pop(number)

    def _on_reply(self, message: Any) -> None:
        self._replies[message.properties["correlation_id"]] = json.loads(message.body)

    def _on_return(self, _error: Any, _exchange: str, _key: str, message: Any) -> None:
        unserved = errors.Unavailable(reason="nobody_serves_it").to_wire()
        self._replies[message.properties["correlation_id"]] = {"result": None, "error": unserved}
