"""The running service as its tests hold it: asked, told events and looked behind."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import amqp
import pytest
from sqlalchemy import Engine, text

from chassis import topology
from chassis.call import Actor, Call, Grant
from chassis.errors import Unavailable
from chassis.testing import eventually
from chassis.testing.processes import ServiceProcess
from chassis.testing.rpc import RpcCaller
from chassis.testing.wire import opened
from tests.integration.notifications.neighbours import ResidentsDouble
from tests.integration.notifications.world import (
    Standin,
    TicketStory,
    a_phone,
    on_the_wire,
)

INBOX = (Grant("own", frozenset({"inbox.read", "inbox.write"})),)


@dataclass
class Desk:
    """The running service with all that it speaks to."""

    process: ServiceProcess
    engine: Engine
    amqp_uri: str
    residents: ResidentsDouble
    standin: Standin

    def call(self, method: str, query: Any, call: Call | None = None) -> Any:
        """Call the service as the gateway would; raises what it raises."""
        with RpcCaller(self.amqp_uri) as caller:
            return caller.call("notifications", method, query, call=call or Call())

    def inbox(self, person: UUID, **query: Any) -> list[dict[str, Any]]:
        """A page of somebody's inbox, as they would ask for it."""
        return self.call("list_inbox", query, person_calling(person))["items"]

    def publish(self, *events: Any, times: int = 1) -> None:
        """Publish events as the relay does."""
        with opened(self.amqp_uri, confirm_publish=True) as channel:
            for event in events * times:
                body = event if isinstance(event, str) else json.dumps(on_the_wire(event))
                kind = json.loads(body)["type"]
                message = amqp.Message(
                    body, content_type="application/cloudevents+json; charset=utf-8"
                )
                key = topology.routing_key(kind, "water", "340603.008")
                channel.basic_publish(message, topology.EVENTS_EXCHANGE, key, mandatory=True)

    def story(self, **facts: Any) -> TicketStory:
        """A ticket whose reporter has a telephone."""
        story = TicketStory(**facts)
        story.phone = a_phone()  # type: ignore[attr-defined]
        contact = {"phone": story.phone, "locale": "zh-CN"}  # type: ignore[attr-defined]
        self.residents.contacts[str(story.reporter)] = contact
        return story

    def texts(self, story: TicketStory, count: int = 1, within: float = 10) -> list[str]:
        """What the reporter was sent, once there are so many."""
        phone = story.phone  # type: ignore[attr-defined]
        eventually(lambda: len(self.standin.texts(phone)) >= count, within)
        return self.standin.texts(phone)

    def rows(self, sql: str, **values: Any) -> list[Any]:
        """What a query finds in the database."""
        with self.engine.connect() as connection:
            return list(connection.execute(text(sql), values))

    def ready(self) -> None:
        """Wait until it answers."""
        eventually(self._answers, within=20)

    def _answers(self) -> bool:
        if not self.process.running:
            pytest.fail(self.process.log)
        try:
            return self.call("unread_count", {}, person_calling(uuid4())) == {"unread": 0}
        except (Unavailable, OSError, amqp.AMQPError):
            return False


def person_calling(person: UUID, **values: Any) -> Call:
    return Call(actor=Actor(str(person), "person"), grants=INBOX, **values)


def reasons(desk: Desk, story: TicketStory) -> list[str]:
    found = desk.rows(
        "SELECT a.reason FROM attempt a JOIN delivery d ON d.id = a.delivery"
        " JOIN notification n ON n.id = d.notification WHERE n.ticket = :ticket ORDER BY a.number",
        ticket=story.ticket,
    )
    return [reason for (reason,) in found]


def settled(desk: Desk, story: TicketStory, count: int) -> list[Any]:
    """State, reason and losses of what there is to tell of a ticket, once so many have ended."""
    found = desk.rows(
        "SELECT d.state, d.reason, d.losses FROM delivery d JOIN notification n"
        " ON n.id = d.notification WHERE n.ticket = :ticket AND d.settled_at IS NOT NULL"
        " ORDER BY n.sequence",
        ticket=story.ticket,
    )
    return [tuple(row) for row in found] if len(found) == count else []
