"""Reading a RabbitMQ stream over AMQP 0-9-1: from any place, for ever, and sure which stream it is.

Offsets are exact and inclusive. A stream that was deleted and declared anew counts from 0 again,
and the broker lets a reader who asks for an offset that is not there yet wait in silence until it
is. So whoever goes on from a place tells the reader how to recognise what was read there; silence
is never taken as evidence.
"""

import hashlib
import time
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol

import amqp
import eventlet

from chassis import logs
from chassis.broker import LOST, backoff, connect
from chassis.database import is_infrastructure

log = logs.get("stream")

_PREFETCH = 200
# Seconds: to open a connection; how long the last messages of a stream take to arrive once asked
# for, and to follow one another; silence after which the broker is asked whether it is there, and
# how long it may take to answer.
_OPEN, _PROBE, _GAP, _SILENCE, _ANSWER = 6.0, 2.0, 0.1, 5.0, 10.0

Start = int | str | datetime
"""An offset, `first`, `last`, `next`, or a moment."""


@dataclass(frozen=True)
class StreamMessage:
    """One message. (A stream keeps no header that is a list, so `CC` is not to be had.)"""

    offset: int
    body: bytes
    key: str = ""

    @cached_property
    def digest(self) -> str:
        """What this message is recognised by."""
        return hashlib.blake2b(self.body, digest_size=16).hexdigest()


@dataclass(frozen=True)
class Place:
    """A message that was read: its offset and its digest."""

    offset: int
    digest: str


class Journal(Protocol):
    """What the reader needs of whoever reads."""

    def place(self) -> Place | None:
        """The message read last, after which to go on; None to begin at the reader's `start`."""

    def knows(self, message: StreamMessage) -> bool:
        """Whether `message`, from before `place`, is what was read at that offset."""

    def read(self, message: StreamMessage) -> None:
        """Take the next message, within seconds: the broker is not listened to meanwhile."""

    def restarted(self) -> None:
        """The stream is not the one that was read, or lacks what should come next: forget it."""


class _OtherStream(Exception):
    """The message at the place is another one."""


class StreamReader:
    """Reads `stream` into a journal until stopped, whatever happens to the broker."""

    def __init__(self, uri: str, stream: str, journal: Journal, start: Start = "first") -> None:
        self._uri = uri
        self._stream = stream
        self._journal = journal
        self._start = start
        self._connection: amqp.Connection | None = None
        self._stopping = False
        self._end = -1
        self._position = -1
        self._heard = 0.0

    @property
    def connected(self) -> bool:
        """Whether it is subscribed."""
        return self._connection is not None and self._heard > 0

    @property
    def caught_up(self) -> bool:
        """Whether all that was in the stream when it subscribed has been read, and nothing is on
        its way.
        """
        quiet = time.monotonic() - self._heard > 0.5
        return self.connected and self._position >= self._end and quiet

    def run(self) -> None:
        """Read until stopped. Never raises."""
        pauses = backoff()
        while not self._stopping:
            try:
                with eventlet.Timeout(_OPEN):
                    connection = self._connection = connect(self._uri)
                    channel = self._subscribe(connection)
                if channel:
                    pauses = backoff()
                    self._follow(connection, channel)
            except _OtherStream:
                log.warning("stream_restarted", stream=self._stream)
                self._journal.restarted()
                pauses = backoff()
            except (*LOST, eventlet.Timeout) as error:
                log.warning("stream_lost", stream=self._stream, error=type(error).__name__)
            except Exception as error:  # noqa: BLE001 - whatever the journal raises; reported
                # The journal failed, most likely for want of its database, or the connection was
                # dropped on purpose: the stream keeps what it holds.
                self._report(error)
            self.restart()
            if not self._stopping:
                eventlet.sleep(next(pauses))

    def restart(self) -> None:
        """Drop the connection and go on from the journal's place."""
        connection, self._connection, self._heard = self._connection, None, 0.0
        if connection is not None:
            connection.collect()

    def stop(self) -> None:
        """Let `run` return."""
        self._stopping = True
        self.restart()

    def _report(self, error: Exception) -> None:
        if is_infrastructure(error):
            log.warning("stream_waits", stream=self._stream, error=type(error).__name__)
        elif self._connection is not None:
            log.error("stream_failed", stream=self._stream, exc_info=error)

    def _subscribe(self, connection: amqp.Connection) -> Any:
        """The channel on which messages will come, or None if it cannot be told yet from where."""
        place, last = self._journal.place(), self._last_messages(connection)
        self._end = last[-1].offset if last else -1
        if place and not last:
            # Empty, which a stream that was read from is not: it was made anew, or is slow to
            # answer. Its first message will tell.
            return None
        if place and last[0].offset <= place.offset and not self._journal.knows(last[0]):
            raise _OtherStream
        self._expected = place
        if place is None and self._start == "next":
            self._position = self._end
        channel = connection.channel()
        channel.basic_qos(0, _PREFETCH, False)
        channel.basic_consume(
            self._stream,
            callback=lambda raw: self._on_message(channel, raw),
            arguments={"x-stream-offset": place.offset if place else self._start},
        )
        self._unacknowledged, self._heard = 0, time.monotonic()
        return channel

    def _last_messages(self, connection: amqp.Connection) -> list[StreamMessage]:
        """Some messages up to the very last of the stream; none if there are none."""
        channel, found = connection.channel(), []
        channel.basic_qos(0, _PREFETCH, False)
        channel.basic_consume(
            self._stream,
            callback=lambda raw: found.append(_read(raw)),
            arguments={"x-stream-offset": "last"},
        )
        give_up = time.monotonic() + _PROBE
        try:
            while time.monotonic() < give_up and len(found) < _PREFETCH:
                connection.drain_events(timeout=_GAP if found else _PROBE)
        except TimeoutError:
            log.debug("stream_end_found", stream=self._stream)
        channel.close()
        return found

    def _follow(self, connection: amqp.Connection, channel: Any) -> None:
        log.info("stream_followed", stream=self._stream)
        asked = time.monotonic()
        while not self._stopping:
            try:
                connection.drain_events(timeout=1.0)
            except TimeoutError:
                # Only silence is met here; a lost connection raises something else.
                if time.monotonic() - max(self._heard, asked) > _SILENCE:
                    asked = self._ask(channel)
            connection.heartbeat_tick()

    def _ask(self, channel: Any) -> float:
        """Make sure that broker and stream are still there: a frozen broker is silent, too."""
        with eventlet.Timeout(_ANSWER):
            channel.queue_declare(self._stream, passive=True)
        return time.monotonic()

    def _on_message(self, channel: Any, raw: Any) -> None:
        message = _read(raw)
        if self._expected is None:
            self._journal.read(message)
        elif (message.offset, message.digest) != (self._expected.offset, self._expected.digest):
            raise _OtherStream
        self._expected = None
        self._position, self._heard = message.offset, time.monotonic()
        # An acknowledgement is but credit for further messages.
        self._unacknowledged += 1
        if self._unacknowledged >= _PREFETCH // 2:
            channel.basic_ack(raw.delivery_tag, multiple=True)
            self._unacknowledged = 0


def _read(raw: Any) -> StreamMessage:
    body = raw.body.encode() if isinstance(raw.body, str) else bytes(raw.body)
    return StreamMessage(raw.headers["x-stream-offset"], body, raw.delivery_info["routing_key"])
