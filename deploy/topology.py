"""The one-shot topology step: declares on the broker all that the services rely on before any of
them runs.

`apply` and `check` are one comparison: what differs from the plan is mended by the one and
reported by the other. Run it as `python -m deploy.topology apply|check`.
"""

import importlib
import os
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kombu.entity import Queue

from chassis import topology
from deploy import permissions
from deploy.accounts import Access, Account, account_differences, policy_differences
from deploy.backfill import PENDING_KEY, backfill
from deploy.broker import Broker, Difference, Snapshot, account_of
from deploy.queues import (
    binding_differences,
    bindings_of,
    declare_queue,
    exchange_differences,
    queue_differences,
    unbind,
)

SERVICES = (
    "services.residents.service:ResidentsService",
    "services.tickets.service:TicketsService",
    "services.notifications.service:NotificationsService",
    "services.gateway.service:GatewayService",
)
LOG_READERS = {"gateway"}
OBSERVER = "observer"
PASSES = 4
"""The first declares, the second binds, the third fills, the last finds nothing left to do."""
SETTLING_SECONDS = 1.5
"""RabbitMQ 3.10 that is killed within a second of declaring a quorum queue or a stream never brings
it up again. After this time it has written down what it needs, and the step may call it declared.
"""

LOG_POLICY = {
    "pattern": r"^linli\.events\.log$",
    "definition": {"max-age": "30D", "max-length-bytes": 5 << 30},
    "priority": 20,
    "apply-to": "queues",
}


class TopologyDiffers(Exception):
    """The broker holds something that only an operator can put right."""

    def __init__(self, differences: Iterable[Difference]) -> None:
        super().__init__("; ".join(map(str, differences)))


@dataclass(frozen=True)
class Service:
    """What the broker has to know of a service: its name, its consumers' queues and types, whether
    it emits.
    """

    name: str
    consumers: tuple[tuple[str, tuple[str, ...]], ...] = ()
    emits: bool = False

    def queues(self) -> Iterator[Queue]:
        """Its RPC queue, and a queue with dead letters for each consumer."""
        yield topology.rpc(self.name)
        for queue, event_types in self.consumers:
            yield topology.dead(queue)
            yield topology.consumer(queue, event_types)


@dataclass(frozen=True)
class Plan:
    """What the broker should hold."""

    services: tuple[Service, ...]
    accounts: tuple[Account, ...] = field(default=(), repr=False)

    def queues(self) -> list[Queue]:
        return [*topology.shared(), *(queue for each in self.services for queue in each.queues())]


def plan(environ: Mapping[str, str] = os.environ) -> Plan:
    """The plan for the four services, with the broker users that the environment names.

    `LINLI_AMQP_URI_<SERVICE>` and `LINLI_AMQP_URI_OBSERVER` carry user and password of each; those
    not set are left out, and such a service runs with whatever account `LINLI_AMQP_URI` gives it.
    """
    services = tuple(map(_load, SERVICES))
    return Plan(services, accounts(services, environ))


def accounts(services: Iterable[Service], environ: Mapping[str, str]) -> tuple[Account, ...]:
    """The users of the services and the observer, as far as the environment names them."""
    accesses = {each.name: _access(each) for each in services}
    accesses[OBSERVER] = permissions.observer_access()
    uris = {name: environ.get(f"LINLI_AMQP_URI_{name.upper()}") for name in accesses}
    return tuple(
        Account(user, accesses[name], password)
        for name, uri in uris.items()
        if uri
        for user, password in [account_of(uri)]
    )


def apply(broker: Broker, planned: Plan) -> list[Difference]:
    """Make the broker as planned and return what was changed: nothing, the second time.

    Raises TopologyDiffers when something needs an operator, before anything is changed;
    ManagementError and amqp's errors when the broker cannot be reached.
    """
    _create_vhost(broker)
    changed: list[Difference] = []
    with broker.connect() as connection:
        channel = connection.channel()
        for _ in range(PASSES):
            found = check(broker, planned)
            if not found:
                return changed
            _mend(channel, found)
            changed += found
    raise TopologyDiffers(found)


def check(broker: Broker, planned: Plan) -> list[Difference]:
    """Where the broker is not as planned; raises ManagementError when it cannot be asked."""
    return list(_differences(broker, broker.snapshot(), planned))


def main(arguments: list[str] | None = None) -> int:
    """`apply` or `check`, with settings from the environment; 0 when the broker is as planned."""
    from deploy.cli import main as linli

    return linli(["topology", *(sys.argv[1:] if arguments is None else arguments)])


def _differences(broker: Broker, snapshot: Snapshot, planned: Plan) -> Iterator[Difference]:
    yield from policy_differences(broker, snapshot, {topology.LOG_STREAM: LOG_POLICY})
    yield from _exchange_differences(snapshot)
    for queue in planned.queues():
        yield from queue_differences(snapshot, queue, partial(_create, snapshot))
    for queue in planned.queues():
        yield from binding_differences(snapshot, queue, only=True, besides=[PENDING_KEY])
        yield from _unfinished_backfill(broker, snapshot, queue)
    yield from _abandoned(snapshot, planned)
    for account in planned.accounts:
        yield from account_differences(broker, snapshot, account)
    for code in permissions.granted_departments(snapshot):
        yield from permissions.department_differences(broker, snapshot, code)


def _exchange_differences(snapshot: Snapshot) -> Iterator[Difference]:
    exchanges = [topology.EVENTS, topology.RPC]
    exchanges += [queue.exchange for queue in topology.shared()]
    for exchange in {each.name: each for each in exchanges}.values():
        yield from exchange_differences(snapshot, exchange)


def _create(snapshot: Snapshot, channel: Any, queue: Queue) -> None:
    """Declare a queue. A consumer newer than the log is marked for its backfill before anything
    else binds it.
    """
    declare_queue(channel, queue)
    if topology.LOG_STREAM in snapshot.queues and queue.bindings:
        channel.queue_bind(queue.name, topology.EVENTS_EXCHANGE, PENDING_KEY)


def _unfinished_backfill(broker: Broker, snapshot: Snapshot, queue: Queue) -> Iterator[Difference]:
    marker = (topology.EVENTS_EXCHANGE, PENDING_KEY, queue.name)
    if marker not in snapshot.bindings:
        return

    def finish(channel: Any) -> None:
        backfill(broker, queue.name, {key for _, key, _ in bindings_of(queue)})
        unbind(channel, marker)

    yield Difference(f"queue {queue.name}", "not yet filled from the log", finish)


def _abandoned(snapshot: Snapshot, planned: Plan) -> Iterator[Difference]:
    """Bindings of consumers that no longer exist. What their queues hold is kept, but no more is
    added.
    """
    known = {queue.name for queue in planned.queues()}
    services = tuple(f"{each.name}." for each in planned.services)
    for binding in sorted(snapshot.bindings):
        source, _, queue = binding
        if source == topology.EVENTS_EXCHANGE and queue not in known and queue.startswith(services):
            yield Difference(
                f"queue {queue}", "has no consumer any more", partial(unbind, binding=binding)
            )


def _access(service: Service) -> Access:
    follows_log = service.name in LOG_READERS
    return permissions.service_access(service.name, emits=service.emits, follows_log=follows_log)


def _mend(channel: Any, found: list[Difference]) -> None:
    if stuck := [difference for difference in found if difference.mend is None]:
        raise TopologyDiffers(stuck)
    for difference in found:
        if difference.mend:
            difference.mend(channel)
    if any(difference.subject.startswith("queue ") for difference in found):
        time.sleep(SETTLING_SECONDS)


def _create_vhost(broker: Broker) -> None:
    if broker.management.get("vhosts", broker.vhost) is None:
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        broker.management.put("vhosts", broker.vhost)
        broker.management.put("permissions", broker.vhost, broker.user, body=everything)


def _load(path: str) -> Service:
    """Imported only now: the services' own dependencies are needed for it, and for nothing else
    here.
    """
    module, _, name = path.partition(":")
    with warnings.catch_warnings():
        # eventlet says at import that it is in maintenance mode, which is no news to an operator.
        warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")
        service = getattr(importlib.import_module(module), name)
        from chassis.consumer import consumers_of
    return Service(service.name, tuple(consumers_of(service)), getattr(service, "emits", False))


if __name__ == "__main__":
    sys.exit(main())
