"""Who is told what of a ticket's events: one declared table, and the pure function that reads it.

Everything told appears in the person's inbox; `also` names the channels that carry it further. A
purpose is a folder of `templates/`: to tell somebody something new, add a row here and that folder.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Audience(StrEnum):
    """The people an event names, seen from the ticket."""

    REPORTER = "reporter"
    ASSIGNEE = "assignee"
    PREVIOUS_ASSIGNEE = "previous_assignee"


class Channel(StrEnum):
    """How news travels beyond the inbox."""

    SMS = "sms"


@dataclass(frozen=True)
class News:
    """One row of the table: on this event these people are told this, and by these channels too.

    A `receipt` goes even to somebody who did it themselves.
    """

    event: str
    audience: Audience
    purpose: str
    also: tuple[Channel, ...] = ()
    receipt: bool = False


@dataclass(frozen=True)
class TicketFacts:
    """What a ticket's event says that matters here.

    `actor` is who made it happen, a person or not; `comment_visibility` that of a new comment.
    """

    ticket: UUID
    number: str
    reporter: UUID | None
    assignee: UUID | None
    previous_assignee: UUID | None
    department: str | None
    actor: str | None = None
    comment_visibility: str | None = None


@dataclass(frozen=True)
class Telling:
    """One person to be told one thing once."""

    person: UUID
    purpose: str
    also: tuple[Channel, ...]


_REPORTER = Audience.REPORTER
_ASSIGNEE = Audience.ASSIGNEE
_PREVIOUS = Audience.PREVIOUS_ASSIGNEE
_SMS = (Channel.SMS,)

TABLE: tuple[News, ...] = (
    News("linli.tickets.ticket_filed.v1", _REPORTER, "ticket_filed", _SMS, receipt=True),
    News("linli.tickets.ticket_accepted.v1", _REPORTER, "ticket_accepted", _SMS, receipt=True),
    News("linli.tickets.ticket_refused.v1", _REPORTER, "ticket_refused", _SMS, receipt=True),
    News("linli.tickets.ticket_assigned.v1", _REPORTER, "ticket_assigned", _SMS, receipt=True),
    News("linli.tickets.ticket_assigned.v1", _ASSIGNEE, "task_assigned"),
    News("linli.tickets.ticket_assigned.v1", _PREVIOUS, "task_moved"),
    News("linli.tickets.ticket_started.v1", _REPORTER, "ticket_started", _SMS, receipt=True),
    News("linli.tickets.ticket_sent_back.v1", _REPORTER, "ticket_sent_back", receipt=True),
    News("linli.tickets.ticket_resolved.v1", _REPORTER, "ticket_resolved", _SMS, receipt=True),
    News("linli.tickets.ticket_reopened.v1", _REPORTER, "ticket_reopened", _SMS, receipt=True),
    News("linli.tickets.ticket_reopened.v1", _ASSIGNEE, "task_reopened"),
    News("linli.tickets.ticket_closed.v1", _REPORTER, "ticket_closed", _SMS, receipt=True),
    News("linli.tickets.ticket_withdrawn.v1", _REPORTER, "ticket_withdrawn", receipt=True),
    News("linli.tickets.ticket_withdrawn.v1", _ASSIGNEE, "task_withdrawn"),
    News("linli.tickets.ticket_commented.v1", _REPORTER, "ticket_commented"),
)

# A comment changes nothing that an earlier message said, so it never makes one stale.
_ASIDES = {"linli.tickets.ticket_commented.v1"}
STEPS: frozenset[str] = frozenset(row.event for row in TABLE) - _ASIDES


def tellings(event: str, facts: TicketFacts) -> Iterator[Telling]:
    """Whom to tell what on this event: nobody twice the same, nobody of an internal comment."""
    if facts.comment_visibility not in (None, "public"):
        return
    told: set[tuple[UUID, str]] = set()
    for row in TABLE:
        person = _person(row, facts) if row.event == event else None
        if person is not None and (person, row.purpose) not in told:
            told.add((person, row.purpose))
            yield Telling(person, row.purpose, row.also)


def purposes(channel: Channel | None = None) -> frozenset[str]:
    """Every purpose of the table, or those that this channel carries."""
    return frozenset(row.purpose for row in TABLE if channel is None or channel in row.also)


def _person(row: News, facts: TicketFacts) -> UUID | None:
    people = {
        Audience.REPORTER: facts.reporter,
        Audience.ASSIGNEE: facts.assignee,
        Audience.PREVIOUS_ASSIGNEE: facts.previous_assignee,
    }
    person = people[row.audience]
    if row.audience is Audience.PREVIOUS_ASSIGNEE and person == facts.assignee:
        return None  # Whoever still has it has not lost it.
    return None if str(person) == facts.actor and not row.receipt else person
