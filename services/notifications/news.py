"""Who is told what on an event: one declared table, and the pure function that reads it.

Everything told appears in the person's inbox; `also` names the channels that may carry it further,
of which one does. A purpose is a folder of `templates/`: to tell somebody something new, add a row
here and that folder.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID


class Audience(StrEnum):
    """The people an event names, seen from the ticket, or the one it is about."""

    REPORTER = "reporter"
    ASSIGNEE = "assignee"
    PREVIOUS_ASSIGNEE = "previous_assignee"
    RESIDENT = "resident"


class Channel(StrEnum):
    """How news travels beyond the inbox."""

    EMAIL = "email"
    SMS = "sms"


@dataclass(frozen=True)
class News:
    """One row of the table: on this event these people are told this, and by one of these channels.

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
    urgent: bool = False
    actor: str | None = None
    comment_visibility: str | None = None

    @property
    def people(self) -> Mapping[Audience, UUID | None]:
        """Whom it names, as what."""
        return {
            Audience.REPORTER: self.reporter,
            Audience.ASSIGNEE: self.assignee,
            Audience.PREVIOUS_ASSIGNEE: self.previous_assignee,
        }

    @property
    def variables(self) -> dict[str, Any]:
        """What an inbox item keeps of it."""
        return {"number": self.number, "department": self.department}


@dataclass(frozen=True)
class PhoneFacts:
    """Whose number somebody else changed, and the `change` by which the one before is asked for at
    residents: it is kept nowhere here. It cannot wait.
    """

    resident: UUID
    change: UUID

    ticket: ClassVar[None] = None
    actor: ClassVar[None] = None
    comment_visibility: ClassVar[None] = None
    urgent: ClassVar[bool] = True

    @property
    def people(self) -> Mapping[Audience, UUID | None]:
        """Whom it names, as what."""
        return {Audience.RESIDENT: self.resident}

    @property
    def variables(self) -> dict[str, Any]:
        """What an inbox item keeps of it."""
        return {"change": str(self.change)}


Facts = TicketFacts | PhoneFacts


@dataclass(frozen=True)
class Telling:
    """One person to be told one thing once, by the first channel of `also` that reaches them."""

    person: UUID
    purpose: str
    also: tuple[Channel, ...]
    urgent: bool = False


_REPORTER = Audience.REPORTER
_ASSIGNEE = Audience.ASSIGNEE
_PREVIOUS = Audience.PREVIOUS_ASSIGNEE
_RESIDENT = Audience.RESIDENT
_MAIL = (Channel.EMAIL,)
_SMS = (Channel.SMS,)
_BOTH = (Channel.EMAIL, Channel.SMS)
# Who left an address reads there and keeps their phone for what cannot wait.
_FIRST: dict[bool, Channel] = {False: Channel.EMAIL, True: Channel.SMS}

PHONE_CHANGED = "linli.residents.resident_phone_changed.v1"

# Nobody is told twice of one event: of several rows that name a person the first one holds. So what
# somebody has to do stands before what they may want to know.
TABLE: tuple[News, ...] = (
    News("linli.tickets.ticket_filed.v1", _REPORTER, "ticket_filed", _BOTH, receipt=True),
    News("linli.tickets.ticket_accepted.v1", _REPORTER, "ticket_accepted", _BOTH, receipt=True),
    News("linli.tickets.ticket_refused.v1", _REPORTER, "ticket_refused", _BOTH, receipt=True),
    News("linli.tickets.ticket_assigned.v1", _ASSIGNEE, "task_assigned", _MAIL),
    News("linli.tickets.ticket_assigned.v1", _PREVIOUS, "task_moved", _MAIL),
    News("linli.tickets.ticket_assigned.v1", _REPORTER, "ticket_assigned", _BOTH, receipt=True),
    News("linli.tickets.ticket_started.v1", _REPORTER, "ticket_started", _BOTH, receipt=True),
    News("linli.tickets.ticket_sent_back.v1", _REPORTER, "ticket_sent_back", _MAIL, receipt=True),
    News("linli.tickets.ticket_resolved.v1", _REPORTER, "ticket_resolved", _BOTH, receipt=True),
    News("linli.tickets.ticket_reopened.v1", _ASSIGNEE, "task_reopened", _MAIL),
    News("linli.tickets.ticket_reopened.v1", _REPORTER, "ticket_reopened", _BOTH, receipt=True),
    News("linli.tickets.ticket_closed.v1", _REPORTER, "ticket_closed", _BOTH, receipt=True),
    News("linli.tickets.ticket_withdrawn.v1", _ASSIGNEE, "task_withdrawn", _MAIL),
    News("linli.tickets.ticket_withdrawn.v1", _REPORTER, "ticket_withdrawn", _MAIL, receipt=True),
    News("linli.tickets.ticket_commented.v1", _REPORTER, "ticket_commented", _MAIL),
    News(PHONE_CHANGED, _RESIDENT, "phone_changed", _SMS),
)

# What is told together has a purpose of its own; whose news it is made of is theirs.
DIGEST = "digest"
DIGEST_CHANNELS = _BOTH

# What is of no event of others, with the channels that may carry it further.
WEBHOOK_DISABLED = "webhook_disabled"
OTHERS: Mapping[str, tuple[Channel, ...]] = {WEBHOOK_DISABLED: _BOTH}

# A comment changes nothing that an earlier message said, so it never makes one stale; what is of no
# ticket does not either.
_ASIDES = {"linli.tickets.ticket_commented.v1", PHONE_CHANGED}
STEPS: frozenset[str] = frozenset(row.event for row in TABLE) - _ASIDES


def tellings(event: str, facts: Facts) -> Iterator[Telling]:
    """Whom to tell what on this event: nobody twice, and nobody of an internal comment."""
    if facts.comment_visibility not in (None, "public"):
        return
    told: set[UUID] = set()
    for row in TABLE:
        person = _person(row, facts) if row.event == event else None
        if person is not None and person not in told:
            told.add(person)
            yield Telling(person, row.purpose, in_order(row.also, facts.urgent), facts.urgent)


def in_order(channels: Collection[Channel], urgent: bool) -> tuple[Channel, ...]:
    """The channels in the order in which they are tried."""
    return tuple(sorted(channels, key=lambda channel: channel is not _FIRST[urgent]))


def offered() -> dict[str, tuple[Channel, ...]]:
    """Every purpose, with the channels that may carry it further."""
    return {row.purpose: row.also for row in TABLE} | dict(OTHERS)


def purposes(channel: Channel | None = None) -> frozenset[str]:
    """Every purpose, or those that this channel carries."""
    return frozenset(
        purpose for purpose, also in offered().items() if channel is None or channel in also
    )


def _person(row: News, facts: Facts) -> UUID | None:
    people = facts.people
    person = people[row.audience]
    if row.audience is Audience.PREVIOUS_ASSIGNEE and person == people[Audience.ASSIGNEE]:
        return None  # Whoever still has it has not lost it.
    return None if str(person) == facts.actor and not row.receipt else person
