"""Where exchanges, queues and bindings on the broker differ from what `chassis/topology.py`
spells.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from kombu.entity import Exchange, Queue

from deploy.broker import Difference, Snapshot

Binding = tuple[str, str, str]
"""Source exchange, key, queue."""


def declare_queue(channel: Any, queue: Queue) -> None:
    """The queue alone, without its bindings."""
    queue(channel).queue_declare()


def exchange_differences(snapshot: Snapshot, exchange: Exchange) -> Iterator[Difference]:
    """Whether the exchange is there, durable and of its type."""
    held = snapshot.exchanges.get(exchange.name)
    subject = f"exchange {exchange.name}"
    if held is None:
        yield Difference(subject, "missing", lambda channel: exchange(channel).declare())
    elif (held["type"], held["durable"]) != (exchange.type, exchange.durable):
        yield Difference(subject, f"is of type {held['type']}, not {exchange.type}")


def queue_differences(
    snapshot: Snapshot, queue: Queue, create: Callable[[Any, Queue], None] = declare_queue
) -> Iterator[Difference]:
    """Whether the queue is there with its arguments.

    Arguments cannot be changed, and a queue may hold messages: that one is left to an operator.
    `create(channel, queue)` replaces the plain declaration.
    """
    held = snapshot.queues.get(queue.name)
    subject = f"queue {queue.name}"
    if held is None:
        yield Difference(subject, "missing", lambda channel: create(channel, queue))
        return
    arguments: dict[str, Any] = queue.queue_arguments or {}  # type: ignore[attr-defined]
    for name, value in arguments.items():
        if held["arguments"].get(name) != value:
            problem = f"{name} is {held['arguments'].get(name)!r}, not {value!r}: drain, delete"
            yield Difference(subject, problem)


def binding_differences(
    snapshot: Snapshot, queue: Queue, only: bool = False, besides: Iterable[str] = ()
) -> Iterator[Difference]:
    """Which bindings the queue lacks and, with `only`, which it has too many, leaving the keys
    `besides` alone.
    """
    wanted = bindings_of(queue)
    held = {item for item in snapshot.bindings if item[2] == queue.name and item[0]}
    for binding in sorted(wanted - held):
        yield Difference(_subject(binding), "missing", partial(_bind, binding=binding))
    for binding in sorted(held - wanted if only else ()):
        if binding[1] not in besides:
            yield Difference(_subject(binding), "surplus", partial(unbind, binding=binding))


def bindings_of(queue: Queue) -> set[Binding]:
    """The bindings that declaring this queue would make."""
    bindings = {(item.exchange.name, item.routing_key, queue.name) for item in queue.bindings}
    if queue.exchange and queue.exchange.name:
        bindings.add((queue.exchange.name, queue.routing_key, queue.name))
    return bindings


def unbind(channel: Any, binding: Binding) -> None:
    """Remove a binding; none there is as good."""
    source, key, queue = binding
    channel.queue_unbind(queue, source, key)


def _bind(channel: Any, binding: Binding) -> None:
    source, key, queue = binding
    channel.queue_bind(queue, source, key)


def _subject(binding: Binding) -> str:
    source, key, queue = binding
    return f"binding of {queue} to {source} with {key!r}"
