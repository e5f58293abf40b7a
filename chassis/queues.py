"""The receiving side of a container: one connection, one channel for each queue, and messages that
can always be settled until the last worker is done. It declares nothing.
"""

import time
from contextlib import suppress
from functools import partial
from typing import Any

import amqp
import eventlet
from eventlet.event import Event
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import ProviderCollector, SharedExtension

from chassis import logs
from chassis.broker import LOST, stay_connected

log = logs.get("queues")

# Seconds: silence after which the broker is asked whether it is there, and how long it may take to
# answer; between attempts at a queue that cannot be consumed from; to begin.
_SILENCE, _ANSWER, _AGAIN, _START = 5.0, 10.0, 1.0, 8.0


class Delivery:
    """A message in hand. It is settled once; on a lost connection the broker has taken it back,
    and delivers it again anyway.
    """

    def __init__(self, raw: amqp.Message) -> None:
        self.body: str | bytes = raw.body
        self.properties: dict[str, Any] = raw.properties
        self.headers: dict[str, Any] = raw.properties.get("application_headers") or {}
        self.content_type: str = raw.properties.get("content_type") or ""
        self.routing_key: str = raw.delivery_info["routing_key"]
        self.redelivered: bool = raw.delivery_info["redelivered"]
        self._channel: amqp.Channel = raw.channel
        self._tag: int = raw.delivery_info["delivery_tag"]

    @property
    def in_hand(self) -> bool:
        """Whether it is still ours."""
        return self._channel.connection is not None

    @property
    def where(self) -> dict[str, Any]:
        """Where it came from, for a log line."""
        return {"routing_key": self.routing_key, "redelivered": self.redelivered}

    def ack(self) -> None:
        """It is done with."""
        self._settle(self._channel.basic_ack, self._tag)

    def reject(self) -> None:
        """Drop it into the queue's dead letters, or nowhere if it has none."""
        self._settle(self._channel.basic_reject, self._tag, requeue=False)

    def requeue(self) -> None:
        """Let another consumer have it."""
        self._settle(self._channel.basic_reject, self._tag, requeue=True)

    def _settle(self, method: Any, *args: Any, **kwargs: Any) -> None:
        try:
            method(*args, **kwargs)
        except LOST as error:
            log.warning("message_not_settled", error=type(error).__name__, **self.where)


class Queues(ProviderCollector, SharedExtension):  # type: ignore[misc]
    """Hands out the messages of its providers' queues.

    A provider has a `queue` (its name), a `prefetch` and `handle_message(delivery)`. Each has a
    channel of its own: a queue that is away, or is taken away, costs the others nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self._channels: dict[Any, amqp.Channel] = {}
        self._begun = Event()
        self._try_again = 0.0
        self._reader: Any = None

    def start(self) -> None:
        uri = self.container.config["AMQP_URI"]
        self._reader = self.container.spawn_managed_thread(
            lambda: stay_connected("queues", uri, self._serve), "queues"
        )
        with eventlet.Timeout(_START, False):
            self._begun.wait()

    def unregister_provider(self, provider: Any) -> None:
        """Bring the provider no more; what it has in hand it may finish."""
        super().unregister_provider(provider)
        self._cancel(provider)

    def stop(self) -> None:
        """Say goodbye: by now all workers are done, and have acknowledged."""
        self._reader.kill()
        self._reader.wait()

    kill = stop

    def _serve(self, connection: amqp.Connection) -> None:
        control, heard = connection.channel(), time.monotonic()
        self._try_again = 0.0
        try:
            while True:
                self._consume_rest(connection)
                try:
                    connection.drain_events(timeout=1.0)
                    heard = time.monotonic()
                except TimeoutError:
                    if time.monotonic() - heard > _SILENCE:
                        heard = _ask(control)
                connection.heartbeat_tick()
        finally:
            self._channels.clear()

    def _consume_rest(self, connection: amqp.Connection) -> None:
        """Consume from every queue from which we do not."""
        rest = self._providers - self._channels.keys()
        if not rest or time.monotonic() < self._try_again:
            return
        self._try_again = time.monotonic() + _AGAIN
        for provider in rest:
            with eventlet.Timeout(_ANSWER):
                self._consume(connection.channel(), provider)
        if not self._begun.ready():
            self._begun.send()

    def _consume(self, channel: amqp.Channel, provider: Any) -> None:
        try:
            channel.basic_qos(0, provider.prefetch, False)
            channel.basic_consume(
                provider.queue,
                consumer_tag=provider.queue,
                callback=partial(self._receive, provider),
                on_cancel=lambda _tag: self._lose(provider),
            )
        except amqp.ChannelError as error:
            log.warning("queue_away", queue=provider.queue, error=type(error).__name__)
            channel.close()
            return
        self._channels[provider] = channel
        log.info("consuming", queue=provider.queue)
        if provider not in self._providers:
            self._cancel(provider)

    def _lose(self, provider: Any) -> None:
        """The broker has ended the subscription: the queue was deleted, or has moved."""
        log.warning("queue_lost", queue=provider.queue)
        self._channels.pop(provider, None)

    def _cancel(self, provider: Any) -> None:
        channel = self._channels.pop(provider, None)
        if channel is not None:
            with suppress(*LOST), eventlet.Timeout(_AGAIN, False):
                channel.basic_cancel(provider.queue, nowait=True)

    def _receive(self, provider: Any, raw: amqp.Message) -> None:
        delivery = Delivery(raw)
        if provider not in self._providers:
            # It was on its way when the subscription ended.
            delivery.requeue()
            return
        self.container.spawn_managed_thread(partial(self._handle, provider, delivery), "message")

    def _handle(self, provider: Any, delivery: Delivery) -> None:
        try:
            provider.handle_message(delivery)
        except ContainerBeingKilled:
            log.info("message_left_to_the_broker", **delivery.where)
        except Exception:
            # Whatever it was, one message must not end the process.
            log.exception("message_rejected", **delivery.where)
            delivery.reject()


def _ask(control: amqp.Channel) -> float:
    """Make sure that the broker is there, for one that is frozen or cut off is silent, too."""
    with eventlet.Timeout(_ANSWER):
        control.basic_qos(0, 1, False)
    return time.monotonic()
