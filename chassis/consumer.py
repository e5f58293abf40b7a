"""Consuming events: each is handled once, in one transaction with its inbox row, and nothing that
was sent is lost.

Failures are of two kinds that never mix. When the infrastructure is down the message stays in hand,
uncounted, until it is back. When *this event* fails, it is tried again on the shared schedule, and
then put among the queue's dead letters with its reason.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import amqp
import eventlet
from marshmallow import ValidationError
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import Entrypoint

from chassis import clock, database, events, faultpoints, logs, metrics, topology, trace
from chassis.broker import backoff
from chassis.call import system_call
from chassis.context import CALL, EVENT_ID
from chassis.errors import Permanent, ServiceError, Unavailable
from chassis.inbox import AlreadyHandled
from chassis.link import Link
from chassis.queues import Delivery, Queues

log = logs.get("consumer")

_MOVE_AGAIN = 1.0  # seconds


class EventConsumer(Entrypoint):  # type: ignore[misc]
    """Hands the events of some types to a method, through the queue `<service>.<method>`."""

    queues = Queues()
    link = Link()

    def __init__(self, *types: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.types = types
        for event_type in types:
            topology.binding_key(event_type)  # raises ValueError on a malformed type

    def setup(self) -> None:
        settings = self.container.config["settings"]
        self.queue = topology.consumer_queue(self.container.service_name, self.method_name)
        self.prefetch = settings.prefetch
        self.retries: Sequence[int] = topology.RETRY_DELAYS_MS
        self.queues.register_provider(self)

    def stop(self) -> None:
        self.queues.unregister_provider(self)

    def span(self, worker_ctx: Any) -> trace.Span:
        """What handling an event, once, is in the trace of what caused it."""
        (event,) = worker_ctx.args
        return trace.span(
            f"process {self.queue}",
            trace.CONSUMER,
            worker_ctx.data[CALL].traceparent,
            {
                "messaging.system": "rabbitmq",
                "messaging.operation.type": "process",
                "messaging.operation.name": "process",
                "messaging.destination.name": self.queue,
                "messaging.message.id": event.id,
                "cloudevents.event_type": event.type,
            },
        )

    def handle_message(self, message: Delivery) -> None:
        try:
            event = self._parse(message)
        except Permanent as error:
            self._fail(message, None, error)
        else:
            self._run(message, event)

    def _parse(self, message: Delivery) -> events.CloudEvent:
        if len(message.body) > events.MAX_BODY:
            raise Permanent("The body is too large.", reason="too_large")
        if not message.content_type.startswith(events.MEDIA_TYPE):
            raise Permanent("The content type is not that of a CloudEvent.", reason="content_type")
        event = events.parse(message.body)
        if event.type not in self.types:
            raise Permanent("This consumer does not know the type.", reason="unknown_type")
        return event

    def _run(
        self, message: Delivery, event: events.CloudEvent, pauses: Iterator[float] | None = None
    ) -> None:
        call = system_call(self.container.service_name, _published_in(message, event))
        self.container.spawn_worker(
            self,
            (event,),
            {},
            context_data={CALL: call, EVENT_ID: event.id},
            handle_result=partial(self._finish, message, event, pauses or backoff()),
        )

    def _finish(
        self,
        message: Delivery,
        event: events.CloudEvent,
        pauses: Iterator[float],
        _ctx: Any,
        result: Any,
        exc_info: Any,
    ) -> Any:
        try:
            self._settle(message, event, pauses, exc_info[1] if exc_info else None)
        except Exception:
            # nameko would end the process: the broker puts it among the dead letters instead.
            log.exception("event_rejected", event_id=event.id)
            message.reject()
        return result, exc_info

    def _settle(
        self,
        message: Delivery,
        event: events.CloudEvent,
        pauses: Iterator[float],
        error: BaseException | None,
    ) -> None:
        if error is None or isinstance(error, AlreadyHandled):
            faultpoints.reach("consumer.handled")
            message.ack()
            self._count("duplicate" if error else "handled")
        elif _is_infrastructure(error):
            log.warning("event_held", event_id=event.id, error=type(error).__name__)
            self._count("held")
            self._hold(message, next(pauses), partial(self._run, message, event, pauses))
        else:
            self._fail(message, event, error)

    def _hold(self, message: Delivery, pause: float, work: Callable[[], None]) -> None:
        """Keep the message in hand and go on with it soon. With as many in hand as its prefetch the
        queue sends no more.
        """
        eventlet.spawn_after(pause, self._resume, message, work)

    def _resume(self, message: Delivery, work: Callable[[], None]) -> None:
        if not message.in_hand:
            return  # The broker has taken the message back and delivers it anew.
        try:
            work()
        except ContainerBeingKilled:
            log.info("message_left_to_the_broker", **message.where)
        except Exception:
            log.exception("message_rejected", **message.where)
            message.reject()

    def _fail(
        self, message: Delivery, event: events.CloudEvent | None, error: BaseException
    ) -> None:
        """Move the message to where its failure belongs; the original goes only when the copy is
        stored.
        """
        attempts = _attempts(message) + 1
        final = isinstance(error, Permanent | ValidationError) or attempts > len(self.retries)
        try:
            if final:
                self._bury(message, attempts, error)
            else:
                self._retry_later(message, attempts)
        except Unavailable as unavailable:
            log.warning("event_not_moved", queue=self.queue, **unavailable.params)
            self._hold(message, _MOVE_AGAIN, partial(self._fail, message, event, error))
            return
        log.warning(
            "event_dead" if final else "event_retried",
            event_id=event.id if event else None,
            attempts=attempts,
            reason=_reason(error),
            queue=self.queue,
            exc_info=None if isinstance(error, ServiceError | ValidationError) else error,
        )
        message.ack()
        self._count("dead" if final else "retried")

    def _count(self, outcome: str) -> None:
        metrics.EVENTS_CONSUMED.labels(self.queue, outcome).inc()

    def _retry_later(self, message: Delivery, attempts: int) -> None:
        copy = _copy(message, {topology.ATTEMPTS_HEADER: attempts})
        exchange = topology.retry_exchange(self.retries[attempts - 1])
        self.link.send_confirmed(copy, exchange, self.queue)

    def _bury(self, message: Delivery, attempts: int, error: BaseException) -> None:
        headers = {
            topology.ATTEMPTS_HEADER: attempts,
            topology.REASON_HEADER: _reason(error),
            topology.DETAIL_HEADER: _detail(error),
            topology.DIED_AT_HEADER: clock.iso(clock.now()),
        }
        copy = _copy(message, headers)
        self.link.send_confirmed(copy, "", topology.dead_queue(self.queue))


on_event = EventConsumer.decorator


def consumers_of(service_cls: type) -> list[tuple[str, tuple[str, ...]]]:
    """The queues that a service consumes from, each with the event types it is bound to: what the
    topology declares.
    """
    return sorted(
        (topology.consumer_queue(service_cls.name, name), entrypoint.types)  # type: ignore[attr-defined]
        for name in dir(service_cls)
        for entrypoint in getattr(getattr(service_cls, name), "nameko_entrypoints", ())
        if isinstance(entrypoint, EventConsumer)
    )


def _is_infrastructure(error: BaseException) -> bool:
    if isinstance(error, Unavailable):
        return str(error.params.get("reason")).startswith("broker_")
    return database.is_infrastructure(error)


def _published_in(message: Delivery, event: events.CloudEvent) -> str:
    """The span that published the message; of a stranger's, the one that the event names."""
    header = message.headers.get("traceparent")
    return str(header) if trace.valid(header) else event.traceparent


def _attempts(message: Delivery) -> int:
    """How often it has failed; what a stranger wrote there counts as never."""
    attempts = message.headers.get(topology.ATTEMPTS_HEADER)
    return attempts if isinstance(attempts, int) else 0


def _copy(message: Delivery, headers: dict[str, Any]) -> amqp.Message:
    return amqp.Message(
        message.body,
        content_type=message.content_type,
        content_encoding=message.properties.get("content_encoding") or "utf-8",
        delivery_mode=2,
        application_headers=topology.headers_to_carry(message.headers) | headers,
    )


def _reason(error: BaseException) -> str:
    if isinstance(error, ServiceError):
        return str(error.params.get("reason", error.code))
    if isinstance(error, ValidationError):
        return "wrong_schema"
    return type(error).__name__


def _detail(error: BaseException) -> str:
    if isinstance(error, ServiceError):
        return error.detail
    if isinstance(error, ValidationError):
        # Which fields, not what they held.
        return f"wrong fields: {sorted(map(str, error.normalized_messages()))}"
    return ""
