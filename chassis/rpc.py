"""Remote calls: an entrypoint for commands and queries, and a client with a deadline.

Requests and replies are transient JSON; a request carries its `Call` in one header, a reply holds
`result` or `error`.
"""

import json
from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

import amqp
from marshmallow import ValidationError
from nameko.exceptions import ContainerBeingKilled, IncorrectSignature
from nameko.extensions import DependencyProvider, Entrypoint, ProviderCollector, SharedExtension

from chassis import call as calls
from chassis import clock, database, errors, logs, metrics, topology, trace
from chassis.call import Call
from chassis.context import CALL
from chassis.link import Link
from chassis.queues import Delivery, Queues

log = logs.get("rpc")

CALL_HEADER = "linli-call"
CONTENT_TYPE = "application/json"
DEADLINE = 2.0
"""Seconds that a call may take unless its caller says otherwise."""


class RpcServer(ProviderCollector, SharedExtension):  # type: ignore[misc]
    """Hands requests to entrypoints and sends what they return. No request, however broken, ends
    the process.
    """

    queues = Queues()
    link = Link()

    def setup(self) -> None:
        self.stopping = False
        self.queue = topology.rpc_queue(self.container.service_name)
        self.prefetch = self.container.max_workers
        self.queues.register_provider(self)

    def unregister_provider(self, provider: Any) -> None:
        """The first method to stop ends the subscription: nameko stops all at once."""
        self.stopping = True
        self.queues.unregister_provider(self)
        super().unregister_provider(provider)

    def handle_message(self, message: Delivery) -> None:
        if self.stopping:
            # Its greenthread began after methods were taken away: to this caller one would seem
            # not to exist. Whoever serves next has it, as long as it is waited for.
            message.requeue()
            return
        if not message.properties.get("reply_to") or message.content_type != CONTENT_TYPE:
            # Nobody could be told: without a reply address or in another language it is not for us.
            log.warning("rpc_unanswerable", **message.where)
            message.reject()
            return
        try:
            self._dispatch(message)
        except ContainerBeingKilled:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a stranger sends is answered
            self.reply(message, None, error)

    def _dispatch(self, message: Delivery) -> None:
        try:
            body = json.loads(message.body)
            args, kwargs = body["args"], body["kwargs"]
            call = (
                calls.decode(message.headers[CALL_HEADER])
                if CALL_HEADER in message.headers
                else None
            )
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise errors.Invalid("The request is malformed.") from error
        provider = self._method(message.routing_key)
        provider.check_signature(args, kwargs)
        self.container.spawn_worker(
            provider,
            args,
            kwargs,
            # What is done by one command is known by its id, also when its caller gave it none.
            context_data={CALL: calls.named(call)} if call else {},
            handle_result=partial(self._finish, message),
        )

    def _method(self, routing_key: str) -> Any:
        name = routing_key.removeprefix(f"{self.container.service_name}.")
        for provider in self._providers:
            if provider.method_name == name:
                return provider
        raise errors.NotFound("There is no such method.")

    def _finish(self, message: Delivery, _worker_ctx: Any, result: Any, exc_info: Any) -> Any:
        self.reply(message, result, exc_info[1] if exc_info else None)
        return result, exc_info

    def reply(self, message: Delivery, result: Any, error: BaseException | None) -> None:
        """Answer and acknowledge. An answer that cannot be sent is dropped: its caller has a
        deadline, and commands may repeat.
        """
        answer = amqp.Message(
            _answer(result, error),
            content_type=CONTENT_TYPE,
            content_encoding="utf-8",
            delivery_mode=1,
            correlation_id=message.properties.get("correlation_id"),
        )
        try:
            self.link.send(answer, "", message.properties["reply_to"])
        except errors.Unavailable as unavailable:
            log.warning(
                "rpc_reply_dropped", reason=unavailable.params.get("reason"), **message.where
            )
        message.ack()


class Rpc(Entrypoint):  # type: ignore[misc]
    """Serves a method to other services under `<service>.<method>`. Arguments and results are JSON
    values.
    """

    server = RpcServer()

    def setup(self) -> None:
        self.server.register_provider(self)

    def stop(self) -> None:
        self.server.unregister_provider(self)

    def span(self, worker_ctx: Any) -> trace.Span:
        """What serving one request is in its caller's trace."""
        name = f"{self.container.service_name}.{self.method_name}"
        call = worker_ctx.data.get(CALL)
        return trace.span(name, trace.SERVER, call and call.traceparent, _described(name))


rpc = Rpc.decorator


class Remote:
    """Another service as seen from one call: its methods are this object's."""

    def __init__(self, link: Link, service: str, call: Call, deadline: float = DEADLINE) -> None:
        self._link = link
        self._service = service
        self._call = call
        self._deadline = deadline

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return partial(self._request, method)

    def _request(self, method: str, /, *args: Any, **kwargs: Any) -> Any:
        """The method's result; raises its error, or Unavailable when there is no answer in time."""
        key = f"{self._service}.{method}"
        parent = self._call.traceparent or trace.here()
        with trace.span(key, trace.CLIENT, parent, _described(key)) as span:
            return self._asked(key, self._call.under(span.traceparent), args, kwargs)

    def _asked(self, key: str, call: Call, args: Any, kwargs: Any) -> Any:
        request = amqp.Message(
            _dumps({"args": args, "kwargs": kwargs}),
            content_type=CONTENT_TYPE,
            content_encoding="utf-8",
            delivery_mode=1,
            application_headers={CALL_HEADER: calls.encode(call)},
        )
        try:
            reply = self._link.request(request, topology.RPC_EXCHANGE, key, self._deadline)
        except errors.Unavailable as unavailable:
            unavailable.params["service"] = self._service
            reason = str(unavailable.params.get("reason"))
            metrics.RPC_UNANSWERED.labels(self._service, reason).inc()
            raise
        answer = json.loads(reply.body)
        if answer["error"] is not None:
            raise errors.from_wire(answer["error"])
        return answer["result"]


class ServiceClient(DependencyProvider):  # type: ignore[misc]
    """Calls another service: `self.tickets(call, deadline=2.0).file_ticket(command)`."""

    link = Link()

    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service

    def get_dependency(self, worker_ctx: Any) -> Callable[..., Remote]:
        return partial(Remote, self.link, self.service)


def as_wire(error: BaseException) -> dict[str, Any]:
    """The error as its caller may see it: what is not meant for callers says no more than that it
    happened.
    """
    return _public(error).to_wire()


def _public(error: BaseException) -> errors.ServiceError:
    if isinstance(error, errors.ServiceError):
        return error
    if isinstance(error, ValidationError):
        return errors.from_validation(error)
    if isinstance(error, IncorrectSignature):
        return errors.Invalid("The arguments do not fit the method.")
    if database.is_infrastructure(error):
        log.warning("database_unavailable", error=type(error).__name__)
        return errors.Unavailable(reason="database", retry_after=2)
    log.error("rpc_failed", exc_info=error)
    return errors.ServiceError()


def _described(key: str) -> trace.Attributes:
    return {"rpc.system.name": "linli", "rpc.method": key}


def _answer(result: Any, error: BaseException | None) -> bytes:
    try:
        return _dumps({"result": result, "error": None if error is None else as_wire(error)})
    except Exception as unserialisable:  # noqa: BLE001 - the caller is told, whatever it is
        return _dumps({"result": None, "error": as_wire(unserialisable)})


def _dumps(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)
    # Here, where it can be caught, and not half way through writing to the broker.
    return text.encode()


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return clock.iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot cross the bus")
