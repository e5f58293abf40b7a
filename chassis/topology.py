"""Every name the broker knows, and the arguments each exchange and queue is declared with.

Services publish to and consume from what stands here; `deploy/topology.py` declares it before any
of them runs. The arguments are understood alike by RabbitMQ 3.10 and 4.x.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from kombu.entity import Exchange, Queue, binding

EVENTS_EXCHANGE = "linli.events"
LOG_STREAM = "linli.events.log"
RPC_EXCHANGE = "nameko-rpc"
RETRY_DELAYS_MS = (1_000, 10_000, 60_000, 600_000)
NO_ADDRESSEE = "none"

ATTEMPTS_HEADER = "linli-attempts"
"""How often a consumer has tried this event and failed; an integer, absent before the first
failure.
"""
REASON_HEADER = "linli-dead-reason"
"""Why a consumer put a message into its dead letters: an error's stable code."""
DETAIL_HEADER = "linli-dead-detail"
"""The error's sentence, for the operator; never a value from the event."""
DIED_AT_HEADER = "linli-dead-at"
"""When it was put there, RFC 3339."""

DELIVERY_LIMIT = 200
"""Deliveries before the broker gives a message up. It guards against crash loops only: the broker
also counts every consumer that dies with the message in hand, and 4.x would stop at 20."""
READ_AGAIN_LIMIT = 1_000_000
"""The same for dead letters, which an operator may look at as often as they like, and for what
subscribers read.
"""
_READ_AGAIN = {"x-queue-type": "quorum", "x-delivery-limit": READ_AGAIN_LIMIT}

RPC_QUEUE_LENGTH = 1_000
RPC_REQUEST_TTL_MS = 60_000
LOG_SEGMENT_BYTES = 16 * 1024 * 1024

EVENTS = Exchange(EVENTS_EXCHANGE, type="topic", durable=True)
"""No alternate exchange: were the log stream gone, an event must come back to the relay as
unroutable and stay in the outbox, and with an alternate exchange the broker would take it as
routed."""
RPC = Exchange(RPC_EXCHANGE, type="topic", durable=True)

EVENT_TYPE = re.compile(
    r"linli\.[a-z0-9]+\.(?P<noun>[a-z0-9]+)_(?P<event>[a-z0-9_]+)\.(?P<version>v[1-9][0-9]*)"
)
CODE = re.compile(r"[a-z0-9_]{1,40}")
"""A subscriber's code: one word of a routing key, and the beginning of its queues' names."""
RESERVED_CODES = frozenset(
    {"residents", "tickets", "notifications", "gateway", "linli", "nameko", "amq", "rpc"}
) | {NO_ADDRESSEE}
"""Codes whose queues would begin with a name that is in use."""

SEGMENT = re.compile(r"[a-z0-9_]+")
LONGEST_KEY = 255
"""Bytes; AMQP 0-9-1's short string."""

DIED_OR_COPIED = re.compile(
    r"x-(death|(first|last)-death-.*|delivery-count|acquired-count|stream-offset)|CC|BCC"
)


def rpc_queue(service: str) -> str:
    """The queue of a service's RPC requests."""
    return f"rpc-{service}"


def consumer_queue(service: str, method: str) -> str:
    """The queue of the events that `method` of `service` consumes."""
    return f"{service}.{method}"


def dead_queue(queue: str) -> str:
    """The queue of what could not be consumed from `queue`."""
    return f"{queue}.dead"


def retry_exchange(delay_ms: int) -> str:
    """The exchange, and the queue, where a message waits `delay_ms` before it returns to the queue
    its key names.
    """
    return f"linli.retry.{delay_ms}"


def subscriber_queue(code: str) -> str:
    """The queue of the events addressed to the subscriber `code`."""
    return f"{code}.events"


def subscriber_log(code: str) -> str:
    """The stream of the same events, to be read again from any point."""
    return f"{code}.log"


def routing_key(event_type: str, addressee: str | None = None, place: str | None = None) -> str:
    """`linli.tickets.ticket_sent_back.v1`, `water`, `340603.008` →
    `ticket.sent_back.v1.water.340603.008`.

    `place` is dotted, largest first; raises ValueError on a type, addressee or place that cannot
    be part of a key.
    """
    segments = [*_type_segments(event_type), NO_ADDRESSEE if addressee is None else addressee]
    segments += place.split(".") if place else []
    if bad := [segment for segment in segments if not SEGMENT.fullmatch(segment)]:
        raise ValueError(f"not a routing key segment: {bad[0]!r}")
    key = ".".join(segments)
    if len(key) > LONGEST_KEY:
        raise ValueError(f"routing key of {len(key)} bytes, at most {LONGEST_KEY} allowed")
    return key


def carbon_copies(event_type: str, others: Iterable[str], place: str | None = None) -> list[str]:
    """The `CC` header: the key of every further addressee, each once."""
    return [routing_key(event_type, other, place) for other in dict.fromkeys(others)]


def binding_key(event_type: str) -> str:
    """The key that binds a queue to every event of the type: `area.renamed.v1.#`."""
    return ".".join((*_type_segments(event_type), "#"))


def subscriber_keys(code: str, noun: str) -> tuple[str, ...]:
    """The keys that bind a subscriber's queues to every event about `noun` addressed to `code`."""
    return (f"{noun}.*.v1.{code}.#",)


def key_matches(pattern: str, key: str) -> bool:
    """Whether a topic exchange would route `key` to a queue bound with `pattern`."""
    return _words_match(tuple(pattern.split(".")), tuple(key.split(".")))


def headers_to_carry(headers: Mapping[str, Any]) -> dict[str, Any]:
    """The headers of a consumed message without those that must not be published again.

    A copy that kept `CC` would follow it a second time out of the retry queue, and one that kept
    `x-death` may be taken for a dead-letter cycle and dropped by the broker.
    """
    return {name: value for name, value in headers.items() if not DIED_OR_COPIED.fullmatch(name)}


def rpc(service: str) -> Queue:
    """The queue object of a service's RPC requests.

    Classic, whereas every other durable queue is a quorum queue: a request may carry a phone
    number, and a quorum queue writes every message to disk. Only the queue is durable; requests
    are published transient with an expiration, die with the broker, and stay in memory as long as
    the queue is short, which its length and time limits see to. The oldest are dropped first, for
    they are the likeliest to have nobody waiting for them.
    """
    arguments = {
        "x-queue-type": "classic",
        "x-max-length": RPC_QUEUE_LENGTH,
        "x-overflow": "drop-head",
        "x-message-ttl": RPC_REQUEST_TTL_MS,
    }
    return Queue(rpc_queue(service), RPC, routing_key=f"{service}.*", queue_arguments=arguments)


def consumer(queue: str, event_types: Iterable[str] = ()) -> Queue:
    """The queue object of a consumer, bound to its event types; what it rejects goes to its dead
    letters.

    Dead-lettering is at-least-once, for the broker's default may lose; that strategy requires
    `reject-publish`.
    """
    arguments = {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": dead_queue(queue),
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
    bindings = [binding(EVENTS, routing_key=binding_key(event_type)) for event_type in event_types]
    return Queue(queue, bindings=bindings, queue_arguments=arguments)


def dead(queue: str) -> Queue:
    """The queue object of a consumer's dead letters."""
    return Queue(dead_queue(queue), queue_arguments=_READ_AGAIN)


def retry(delay_ms: int) -> Queue:
    """The queue object where messages wait, bound to its fanout exchange.

    A fanout exchange ignores the routing key, so the key may name the queue to return to: after
    `delay_ms` the default exchange delivers by it.
    """
    arguments = {
        "x-queue-type": "quorum",
        "x-message-ttl": delay_ms,
        "x-dead-letter-exchange": "",
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
    exchange = Exchange(retry_exchange(delay_ms), type="fanout", durable=True)
    return Queue(retry_exchange(delay_ms), exchange, queue_arguments=arguments)


def log_stream() -> Queue:
    """The stream that keeps every event; how long is a policy, but age counts per segment, so
    segments are small.
    """
    arguments = {"x-queue-type": "stream", "x-stream-max-segment-size-bytes": LOG_SEGMENT_BYTES}
    return Queue(LOG_STREAM, EVENTS, routing_key="#", queue_arguments=arguments)


def subscriber(code: str, noun: str) -> list[Queue]:
    """The queue objects of a subscriber, its queue and its stream, bound to what is addressed to
    it.
    """
    bindings = [binding(EVENTS, routing_key=key) for key in subscriber_keys(code, noun)]
    log = {"x-queue-type": "stream", "x-stream-max-segment-size-bytes": LOG_SEGMENT_BYTES}
    return [
        Queue(subscriber_queue(code), bindings=bindings, queue_arguments=_READ_AGAIN),
        Queue(subscriber_log(code), bindings=bindings, queue_arguments=log),
    ]


def subscriber_extra(code: str, name: str) -> Queue:
    """The queue object of a further queue of a subscriber, which binds it itself."""
    return Queue(f"{code}.{name}", queue_arguments=_READ_AGAIN)


def shared() -> list[Queue]:
    """What every service relies on: the log and the retry queues, with their exchanges."""
    return [log_stream(), *(retry(delay_ms) for delay_ms in RETRY_DELAYS_MS)]


def declare(channel: Any, queues: Iterable[Queue]) -> None:
    """Declare exchanges, queues and bindings; repeating it changes nothing.

    `channel`: an AMQP channel of a user who may configure them. Raises amqp's PreconditionFailed
    when one exists with other arguments.
    """
    for exchange in (EVENTS, RPC):
        exchange(channel).declare()
    for queue in queues:
        queue(channel).declare()


def _type_segments(event_type: str) -> tuple[str, str, str]:
    """Noun, event and version: the noun is the first word of the type's name."""
    if not (match := EVENT_TYPE.fullmatch(event_type)):
        raise ValueError(f"not an event type: {event_type!r}")
    return match["noun"], match["event"], match["version"]


def _words_match(pattern: tuple[str, ...], words: tuple[str, ...]) -> bool:
    if not pattern:
        return not words
    if pattern[0] == "#":
        return any(_words_match(pattern[1:], words[skip:]) for skip in range(len(words) + 1))
    return bool(words) and pattern[0] in ("*", words[0]) and _words_match(pattern[1:], words[1:])
