"""Events back to an empty broker: to the log and the departments' logs all of them, to each
consumer what it had not handled, to each department's queue as many as had waited there.
"""

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from chassis import topology
from deploy import settings
from deploy.backup import departments, log
from deploy.backup.departments import Department
from deploy.backup.manifest import Manifest
from deploy.broker import Broker
from deploy.confirms import ConfirmedChannel
from deploy.permissions import DEPARTMENT_NOUN
from deploy.topology import Service, apply, plan

BATCH = 500
_HANDLED = text(
    "SELECT consumer, event_id::text FROM inbox WHERE event_id = ANY(cast(:ids AS uuid[]))"
)

Event = dict[str, Any]
"""As `log.saved` gives it, with the CloudEvent as `event`."""


@dataclass
class Returned:
    """What the broker was given: events, those of each consumer's queue that it had not handled,
    and those of each department's.
    """

    events: int = 0
    unhandled: dict[str, int] = field(default_factory=dict)
    departments: dict[str, int] = field(default_factory=dict)


def give_back(
    broker: Broker, folder: Path, manifest: Manifest, environ: Mapping[str, str]
) -> Returned:
    """Declare everything, give departments their access, and publish what the backup has; raises
    NotStored, ManagementError.
    """
    planned = plan(environ)
    apply(broker, planned)
    known = departments.read(folder / manifest.departments.name)
    for department in known:
        departments.grant(broker, department)
    with broker.connect() as connection:
        giving = _Giving(connection, planned.services, known, environ)
        with log.returning(connection.channel(), _logs(known)):
            for batch in _batches(folder / manifest.log.name):
                giving.publish(batch)
        giving.fill_departments()
    return giving.returned


class _Giving:
    """The publishing of a restore, a batch at a time."""

    def __init__(
        self,
        connection: Any,
        services: Sequence[Service],
        known: Sequence[Department],
        environ: Mapping[str, str],
    ) -> None:
        self._publishing = ConfirmedChannel(connection.channel())
        self._services = [service for service in services if service.consumers]
        self._environ = environ
        self._waiting = {each.code: deque[Event](maxlen=each.waiting) for each in known}
        self.returned = Returned()

    def publish(self, batch: Sequence[Event]) -> None:
        """To the logs, and to consumers."""
        messages = ((each["key"], log.message(each, _copies(each))) for each in batch)
        self.returned.events += self._publishing.route_all(log.RETURN, messages)
        for service in self._services:
            self._publish_unhandled(service, batch)
        for each in batch:
            for code in _addressees(each):
                if code in self._waiting:
                    self._waiting[code].append(each)

    def fill_departments(self) -> None:
        """The newest events of each department, as many as had waited."""
        for code, waiting in self._waiting.items():
            messages = (log.message(each, []) for each in waiting)
            queue = topology.subscriber_queue(code)
            self.returned.departments[code] = self._publishing.publish_all(queue, messages)

    def _publish_unhandled(self, service: Service, batch: Sequence[Event]) -> None:
        url = settings.database(service.name, self._environ, owner=True)
        with settings.connected(url) as connection:
            handled = _handled(connection, batch)
        for queue, types in service.consumers:
            missing = [
                log.message(each, [])
                for each in batch
                if each["event"]["type"] in types and (queue, each["event"]["id"]) not in handled
            ]
            if missing:
                given = self._publishing.publish_all(queue, missing)
                self.returned.unhandled[queue] = self.returned.unhandled.get(queue, 0) + given


def _handled(connection: Connection, batch: Sequence[Event]) -> set[tuple[str, str]]:
    """Which of these events each consumer has handled: a consumer is called as its queue is."""
    ids = [each["event"]["id"] for each in batch]
    return {(consumer, event) for consumer, event in connection.execute(_HANDLED, {"ids": ids})}


def _logs(known: Sequence[Department]) -> dict[str, list[str]]:
    """The streams, and the keys that each is bound by."""
    own = {
        topology.subscriber_log(each.code): list(
            topology.subscriber_keys(each.code, DEPARTMENT_NOUN)
        )
        for each in known
    }
    return {topology.LOG_STREAM: ["#"], **own}


def _batches(path: Path) -> Iterator[list[Event]]:
    events = ({**each, "event": json.loads(each["body"])} for each in log.saved(path))
    while batch := list(islice(events, BATCH)):
        yield batch


def _addressees(event: Event) -> list[str]:
    """Whom it was addressed to: the department of its key, and those it was copied to."""
    told = event["event"]["data"].get("departments") or []
    return list(dict.fromkeys([_department(event), *told]))


def _copies(event: Event) -> list[str]:
    """The `CC` header, which a stream does not keep: the same key for each further addressee."""
    noun, name, version, first, *place = event["key"].split(".")
    return [
        ".".join([noun, name, version, code, *place])
        for code in _addressees(event)
        if code != first
    ]


def _department(event: Event) -> str:
    return str(event["key"].split(".")[3])
