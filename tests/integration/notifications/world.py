"""The world around notifications in its tests: events that arrive, and the provider's stand-in."""

import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

import requests

from chassis.clock import iso, now
from chassis.events import CloudEvent
from chassis.ids import new_id

TOKEN = "token-of-the-tests"


def a_phone() -> str:
    """A mobile number that no other test uses."""
    return f"+86138{secrets.randbelow(10**8):08d}"


def a_number() -> str:
    """The number of a ticket."""
    return f"20260101-{secrets.randbelow(10**6):06d}"


class TicketStory:
    """A ticket as its events tell it: each is numbered in turn."""

    def __init__(self, **facts: Any) -> None:
        self.ticket = str(new_id())
        self.sequence = 0
        # Of the reporter, once they have one.
        self.phone = ""
        self.facts: dict[str, Any] = {
            "number": a_number(),
            "kind": "request",
            "reporter": str(new_id()),
            "assignee": None,
            "department": None,
            "actor": None,
            **facts,
        }

    @property
    def reporter(self) -> UUID:
        return UUID(self.facts["reporter"])

    def event(self, name: str, at: datetime | None = None, **own: Any) -> CloudEvent:
        """The next event of the ticket; `own` are fields of its own."""
        self.sequence += 1
        return CloudEvent(
            id=str(new_id()),
            type=f"linli.tickets.ticket_{name}.v1",
            source="/tickets",
            subject=self.ticket,
            time=at or now(),
            sequence=self.sequence,
            data={"ticket": self.ticket, **self.facts, **own},
        )


def department_event(what: str, sequence: int, **record: Any) -> CloudEvent:
    """An event of residents about a department."""
    return CloudEvent(
        id=str(new_id()),
        type=f"linli.residents.department_{what}.v1",
        source="/residents",
        subject=record["code"],
        time=now(),
        sequence=sequence,
        data={"active": True, **record},
    )


def on_the_wire(event: CloudEvent) -> dict[str, Any]:
    """The event as the relay would publish it."""
    return {
        "specversion": "1.0",
        "id": event.id,
        "type": event.type,
        "source": event.source,
        "subject": event.subject,
        "time": iso(event.time),
        "datacontenttype": "application/json",
        "sequence": f"{event.sequence:010d}",
        "partitionkey": event.subject,
        "traceparent": "",
        "data": event.data,
    }


def an_address() -> str:
    """An e-mail address that no other test uses."""
    return f"w{secrets.token_hex(6)}@example.org"


class _Watched:
    """A stand-in, as somebody who looks at it over HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def items(self, to: str) -> list[dict[str, Any]]:
        """What was sent to somebody, oldest first."""
        query = {"to": to}
        answer = self._session.get(f"{self.url}/messages", params=query, timeout=5).json()
        found: list[dict[str, Any]] = answer["items"]
        return found

    def misbehave(self, **fault: Any) -> None:
        """Fail as told until it is told otherwise."""
        fault = {"times": 10**6, **fault}
        self._session.put(f"{self.url}/faults", json=fault, timeout=5).raise_for_status()

    def behave(self) -> None:
        """Fail no longer."""
        self._session.delete(f"{self.url}/faults", timeout=5).raise_for_status()

    def close(self) -> None:
        self._session.close()


class Standin(_Watched):
    """The stand-in for the provider of short messages."""

    def texts(self, phone: str) -> list[str]:
        """What was sent to a number."""
        return [message["text"] for message in self.items(phone)]


class Postbox(_Watched):
    """The stand-in for the mail server."""

    def subjects(self, address: str) -> list[str]:
        """The subjects of what was sent to an address."""
        return [message["subject"] for message in self.items(address)]


def person_event(what: str, person: UUID | None, **more: Any) -> CloudEvent:
    """An event of residents about a person."""
    return CloudEvent(
        id=str(new_id()),
        type=f"linli.residents.resident_{what}.v1",
        source="/residents",
        subject=str(person),
        time=now(),
        sequence=1,
        data={"resident": person and str(person), **more},
    )
