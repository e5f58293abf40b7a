"""One connection to the broker for all that a process sends and for the answers to its RPC
requests.

It reconnects by itself, notices a broker that is frozen or blocks publishers, and never lets a
caller wait for longer than the caller said: a publish into a broker that does not read would
otherwise hang for minutes, or seem to succeed and never arrive.
"""

import itertools
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import amqp
import eventlet
from eventlet.event import Event
from eventlet.semaphore import Semaphore
from nameko.extensions import SharedExtension

from chassis import logs
from chassis.broker import LOST, stay_connected
from chassis.errors import Unavailable

log = logs.get("link")

_REPLIES = "amq.rabbitmq.reply-to"
_NOBODY = "linli.ping"
# Seconds. A broker that has not answered a ping for _SILENT counts as away; after _GONE the
# connection is given up, for it may never find out by itself.
_PING_EVERY, _SILENT, _GONE = 1.0, 3.0, 10.0
_START, _WRITE_LIMIT = 5.0, 1.0


class Link(SharedExtension):  # type: ignore[misc]
    """The sending side of a container, shared by its RPC client, its RPC server and its
    consumers.
    """

    def __init__(self) -> None:
        super().__init__()
        self._connection: amqp.Connection | None = None
        self._replies: dict[str, Event] = {}
        self._confirms: dict[int, Event] = {}
        self._numbers = itertools.count(1)
        self._confirm_order = Semaphore()
        self._opened = Event()
        self._reader: Any = None
        self._blocked = False
        self._pong = 0.0

    @property
    def usable(self) -> bool:
        """Whether the broker is connected, answers, and takes messages."""
        silent_for = time.monotonic() - self._pong
        return self._connection is not None and not self._blocked and silent_for < _SILENT

    def send(
        self, message: amqp.Message, exchange: str, key: str, *, mandatory: bool = False
    ) -> None:
        """Publish and wait for nothing; raises Unavailable when the broker is not usable."""
        with self._writing():
            self._channel.basic_publish(message, exchange, key, mandatory)

    def request(
        self, message: amqp.Message, exchange: str, key: str, deadline: float
    ) -> amqp.Message:
        """Publish a request and return its reply.

        Raises Unavailable after `deadline` seconds, and at once when nobody serves `key` or the
        broker is not usable. The request expires with the deadline, so that nobody works for no
        one.
        """
        reply, number = Event(), str(next(self._numbers))
        message.properties |= {
            "reply_to": _REPLIES,
            "correlation_id": number,
            "expiration": str(int(deadline * 1000)),
        }
        self._replies[number] = reply
        try:
            with _within(deadline):
                self.send(message, exchange, key, mandatory=True)
                return reply.wait()
        finally:
            self._replies.pop(number, None)

    def send_confirmed(
        self, message: amqp.Message, exchange: str, key: str, *, limit: float = 5.0
    ) -> None:
        """Publish and wait until a queue has stored it; raises Unavailable if `limit` seconds bring
        no word.
        """
        with _within(limit):
            with self._confirm_order:
                confirmed = self._publish_counted(message, exchange, key)
            confirmed.wait()

    def _publish_counted(self, message: amqp.Message, exchange: str, key: str) -> Event:
        with self._writing():
            tag = next(self._tags)
            confirmed = self._confirms[tag] = Event()
            message.properties["message_id"] = str(tag)
            self._confirming.basic_publish(message, exchange, key, True)
            return confirmed

    @contextmanager
    def _writing(self) -> Iterator[None]:
        if not self.usable:
            raise Unavailable("The broker is not usable.", reason="broker_unusable", retry_after=1)
        try:
            with _within(_WRITE_LIMIT):
                yield
        except (Unavailable, eventlet.Timeout):
            # Half a frame may have left: nothing that follows it would be understood.
            self._give_up("write_too_slow")
            raise
        except LOST as error:
            raise Unavailable(
                "The broker went away.", reason="broker_lost", retry_after=1
            ) from error

    # The container's side: connect, read, keep alive.

    def start(self) -> None:
        self._reader = self.container.spawn_managed_thread(self._run)
        self.container.spawn_managed_thread(self._keep_alive)
        with eventlet.Timeout(_START, False):
            self._opened.wait()

    def stop(self) -> None:
        """Say goodbye: by now all workers are done, and have sent their answers."""
        self._reader.kill()
        self._reader.wait()

    kill = stop

    def _run(self) -> None:
        stay_connected(
            "link",
            self.container.config["AMQP_URI"],
            self._serve,
            on_blocked=self._on_blocked,
            on_unblocked=self._on_unblocked,
        )

    def _serve(self, connection: amqp.Connection) -> None:
        try:
            with eventlet.Timeout(_START):
                self._prepare(connection)
            while True:
                connection.drain_events()
        finally:
            self._forget()

    def _prepare(self, connection: amqp.Connection) -> None:
        self._channel = connection.channel()
        self._channel.basic_consume(_REPLIES, no_ack=True, callback=self._on_reply)
        self._channel.events["basic_return"].add(self._on_return)
        self._confirming = connection.channel()
        self._confirming.confirm_select()
        self._confirming.events["basic_ack"].add(self._on_confirmed)
        self._confirming.events["basic_nack"].add(self._on_refused)
        self._confirming.events["basic_return"].add(self._on_unroutable)
        self._tags = itertools.count(1)
        self._blocked, self._pong = False, time.monotonic()
        self._connection = connection
        if not self._opened.ready():
            self._opened.send()

    def _keep_alive(self) -> None:
        while True:
            eventlet.sleep(_PING_EVERY)
            if self._connection is None:
                continue
            try:
                with eventlet.Timeout(_WRITE_LIMIT):
                    self._connection.heartbeat_tick()
                    self._ping()
            except (*LOST, eventlet.Timeout):
                # Half a ping may have left.
                self._give_up("cannot_be_written_to")

    def _ping(self) -> None:
        """Send what nobody can receive: its return proves that the broker reads and answers."""
        if self._blocked:
            return
        if time.monotonic() - self._pong > _GONE:
            self._give_up("silent")
            return
        self._channel.basic_publish(amqp.Message(""), "", _NOBODY, True)

    def _give_up(self, reason: str) -> None:
        """End the connection for its reader, who cleans up behind it.

        Shut down, not closed: closing takes the socket from the hub, and its reader would wait for
        ever.
        """
        connection, self._connection = self._connection, None
        if connection is not None:
            log.info("broker_connection_given_up", reason=reason)
            with suppress(*LOST):
                connection.transport.sock.shutdown(socket.SHUT_RDWR)

    def _forget(self) -> None:
        self._connection = None
        waiting = [*self._replies.values(), *self._confirms.values()]
        self._confirms.clear()
        for event in waiting:
            _fail(event, "broker_lost")

    def _on_blocked(self, _reason: str) -> None:
        log.warning("broker_blocked")
        self._blocked = True

    def _on_unblocked(self) -> None:
        log.info("broker_unblocked")
        self._blocked, self._pong = False, time.monotonic()

    def _on_reply(self, message: amqp.Message) -> None:
        reply = self._replies.pop(message.properties.get("correlation_id", ""), None)
        if reply is not None:
            reply.send(message)

    def _on_return(self, _error: Any, _exchange: str, key: str, message: amqp.Message) -> None:
        if key == _NOBODY:
            self._pong = time.monotonic()
            return
        reply = self._replies.pop(message.properties.get("correlation_id", ""), None)
        if reply is not None:
            _fail(reply, "nobody_serves_it")

    def _on_confirmed(self, tag: int, multiple: bool = False) -> None:
        for confirmed in self._settled(tag, multiple):
            confirmed.send()

    def _on_refused(self, tag: int, multiple: bool = False) -> None:
        for confirmed in self._settled(tag, multiple):
            _fail(confirmed, "broker_refused")

    def _on_unroutable(self, _error: Any, _exchange: str, _key: str, message: amqp.Message) -> None:
        for confirmed in self._settled(int(message.properties["message_id"]), multiple=False):
            _fail(confirmed, "no_such_queue")

    def _settled(self, tag: int, multiple: bool) -> list[Event]:
        tags = [known for known in self._confirms if known <= tag] if multiple else [tag]
        return [self._confirms.pop(known) for known in tags if known in self._confirms]


def _fail(event: Event, reason: str) -> None:
    if not event.ready():
        event.send_exception(Unavailable(reason=reason, retry_after=1))


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    limit = eventlet.Timeout(seconds)
    try:
        yield
    except eventlet.Timeout as reached:
        if reached is not limit:
            raise
        raise Unavailable(reason="deadline", retry_after=1) from None
    finally:
        limit.cancel()
