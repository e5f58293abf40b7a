"""Tickets, the whole surface: commands and queries by RPC, facts of residents by event."""

from collections.abc import Callable
from typing import Any

from nameko.timer import timer
from sqlalchemy.orm import Session

from chassis.call import Call, system_call
from chassis.census import Census
from chassis.clock import now
from chassis.consumer import on_event
from chassis.context import CurrentCall
from chassis.database import Database
from chassis.events import CloudEvent
from chassis.health import Health
from chassis.rpc import rpc
from chassis.schemas import load
from chassis.screening import masked_in
from services.tickets import (
    erasure,
    held,
    listing,
    projections,
    queries,
    questions,
    rates,
    recent,
    rows,
    schemas,
    wall,
)
from services.tickets.commands import dispatch, exclusions, filing, follow_up, report, work, writing

Json = dict[str, Any]


class TicketsService:
    """What tickets accepts. Every command answers with the ticket as it stands then; repeated, it
    changes nothing. `masked` in an answer names the texts in which a phone or ID number was masked.
    """

    name = "tickets"
    emits = True
    db = Database(wall.settings)
    call: Call = CurrentCall()
    health = Health()
    unfinished = Census(
        "linli_tickets_unfinished", "Tickets that are not done", "state", rows.unfinished
    )

    @rpc
    def file_ticket(self, command: Json) -> Json:
        """File a ticket. `command`: schemas.FileTicket; raises Invalid, Forbidden."""
        with self.db.transaction() as session:
            return _screened(
                filing.file_ticket, session, self.call, load(schemas.FileTicket, command)
            )

    @rpc
    def may_file(self, query: Json) -> Json:
        """Whether a filing would be taken: `{on_behalf}`. `query`: schemas.FileTicket."""
        with self.db.transaction() as session:
            return filing.may_file(session, self.call, load(schemas.FileTicket, query))

    @rpc
    def accept(self, command: Json) -> Json:
        """Take it on. `command`: schemas.Move. This and every move raises what access.check_move
        raises.
        """
        with self.db.transaction() as session:
            return dispatch.accept(session, self.call, load(schemas.Move, command))

    @rpc
    def refuse(self, command: Json) -> Json:
        """Say that it will not be handled. `command`: schemas.Refuse."""
        with self.db.transaction() as session:
            return _screened(dispatch.refuse, session, self.call, load(schemas.Refuse, command))

    @rpc
    def assign(self, command: Json) -> Json:
        """Give it to a department or a person. `command`: schemas.Assign; raises also Invalid."""
        with self.db.transaction() as session:
            return _screened(dispatch.assign, session, self.call, load(schemas.Assign, command))

    @rpc
    def start_work(self, command: Json) -> Json:
        """Start to work on it, and be responsible. `command`: schemas.Move."""
        with self.db.transaction() as session:
            return work.start_work(session, self.call, load(schemas.Move, command))

    @rpc
    def send_back(self, command: Json) -> Json:
        """Give it back. `command`: schemas.Reasoned."""
        with self.db.transaction() as session:
            return _screened(work.send_back, session, self.call, load(schemas.Reasoned, command))

    @rpc
    def resolve(self, command: Json) -> Json:
        """Say what was done. `command`: schemas.Resolve."""
        with self.db.transaction() as session:
            return _screened(work.resolve, session, self.call, load(schemas.Resolve, command))

    @rpc
    def rate(self, command: Json) -> Json:
        """Keep the reporter's answer; it is closed or reopened. `command`: schemas.FollowUp;
        raises also Invalid.
        """
        with self.db.transaction() as session:
            return _screened(follow_up.rate, session, self.call, load(schemas.FollowUp, command))

    @rpc
    def reopen(self, command: Json) -> Json:
        """Give it to the same unit again. `command`: schemas.Reasoned."""
        with self.db.transaction() as session:
            return _screened(follow_up.reopen, session, self.call, load(schemas.Reasoned, command))

    @rpc
    def withdraw(self, command: Json) -> Json:
        """Take it back. `command`: schemas.Reasoned."""
        with self.db.transaction() as session:
            return _screened(
                follow_up.withdraw, session, self.call, load(schemas.Reasoned, command)
            )

    @rpc
    def comment(self, command: Json) -> Json:
        """Write a comment and return it. `command`: schemas.Comment; raises UnknownTicket,
        Forbidden.
        """
        with self.db.transaction() as session:
            return _screened(writing.comment, session, self.call, load(schemas.Comment, command))

    @rpc
    def report(self, command: Json) -> Json:
        """Resolve it or comment on it; returns which change that was. `command`: schemas.Report."""
        with self.db.transaction() as session:
            return report.report(session, self.call, load(schemas.Report, command))

    @rpc
    def amend(self, command: Json) -> Json:
        """Correct it. `command`: schemas.Amend; raises UnknownTicket, Forbidden, Stale, Invalid."""
        with self.db.transaction() as session:
            return _screened(writing.amend, session, self.call, load(schemas.Amend, command))

    @rpc
    def exclude(self, command: Json) -> Json:
        """Take it out of a rate, and return from which it is excluded. `command`: schemas.Exclude;
        raises UnknownTicket, Forbidden, AlreadyExcluded.
        """
        with self.db.transaction() as session:
            return exclusions.exclude(session, self.call, load(schemas.Exclude, command))

    @rpc
    def include(self, command: Json) -> Json:
        """Let it count again. `command`: schemas.Rated; raises UnknownTicket, Forbidden,
        NotExcluded.
        """
        with self.db.transaction() as session:
            return exclusions.include(session, self.call, load(schemas.Rated, command))

    @rpc
    def exclusions(self, query: Json) -> Json:
        """From which rates it is excluded. `query`: schemas.One; raises UnknownTicket,
        Forbidden.
        """
        with self.db.read() as session:
            return exclusions.exclusions(session, self.call, load(schemas.One, query))

    @rpc
    def get_ticket(self, query: Json) -> Json:
        """One ticket by its id or number. `query`: schemas.One; raises UnknownTicket."""
        with self.db.read() as session:
            return queries.get_ticket(session, self.call, load(schemas.One, query))

    @rpc
    def list_tickets(self, query: Json) -> Json:
        """A page of the tickets that the caller may read. `query`: questions.ListTickets."""
        with self.db.read() as session:
            return listing.list_tickets(session, self.call, load(questions.ListTickets, query))

    @rpc
    def recent_requests(self, query: Json) -> Json:
        """The tickets of a period that the caller may read. `query`: questions.Requests."""
        with self.db.read() as session:
            return recent.requests(session, self.call, load(questions.Requests, query))

    @rpc
    def recent_updates(self, query: Json) -> Json:
        """What everybody may know of their changes. `query`: questions.Updates."""
        with self.db.read() as session:
            return recent.updates(session, self.call, load(questions.Updates, query))

    @rpc
    def jurisdiction(self, query: Json) -> Json:
        """A community or a wider place. `query`: questions.Locate; raises UnknownJurisdiction."""
        with self.db.read() as session:
            return recent.jurisdiction(session, load(questions.Locate, query))

    @rpc
    def filing_place(self, query: Json) -> Json:
        """Where a filing there goes. `query`: questions.Locate; raises also Invalid."""
        with self.db.read() as session:
            return recent.filing_place(session, load(questions.Locate, query))

    @rpc
    def call_list(self, query: Json) -> Json:
        """A page of what waits for its reporter's answer. `query`: questions.CallList."""
        with self.db.read() as session:
            return listing.call_list(session, self.call, load(questions.CallList, query))

    @rpc
    def rates(self, query: Json) -> Json:
        """The rates of a period and a place. `query`: questions.Rates; raises Invalid."""
        with self.db.read() as session:
            return rates.rates(session, self.call, load(questions.Rates, query))

    @rpc
    def ledger(self, query: Json) -> Json:
        """A page of the ledger of a period. `query`: questions.Ledger; raises Invalid."""
        with self.db.read() as session:
            return listing.ledger(session, self.call, load(questions.Ledger, query))

    @rpc
    def ticket_history(self, query: Json) -> Json:
        """A page of a ticket's history. `query`: questions.PageOfOne; raises UnknownTicket."""
        with self.db.read() as session:
            return queries.ticket_history(session, self.call, load(questions.PageOfOne, query))

    @rpc
    def list_comments(self, query: Json) -> Json:
        """A page of a ticket's comments. `query`: questions.PageOfOne; raises UnknownTicket."""
        with self.db.read() as session:
            return queries.list_comments(session, self.call, load(questions.PageOfOne, query))

    @rpc
    def held_on(self, query: Json) -> Json:
        """A page of references to a person's tickets, for the gateway. `query`: questions.HeldOn;
        raises Forbidden.
        """
        with self.db.read() as session:
            return held.held_on(session, self.call, load(questions.HeldOn, query))

    @rpc
    def suggest(self, query: Json) -> Json:
        """Who might solve it. `query`: schemas.One; raises UnknownTicket, Forbidden."""
        with self.db.read() as session:
            return queries.suggest(session, self.call, load(schemas.One, query))

    @rpc
    def categories(self, query: Json) -> Json:
        """The tree of what requests are about. `query`: empty."""
        load(questions.Nothing, query)
        return queries.categories(self.call)

    @timer(interval=60, eager=True)
    def close_silent(self) -> None:
        """Close what has waited seven days for an answer, a hundred in a transaction."""
        more = True
        while more:
            with self.db.transaction() as session:
                more = follow_up.close_silent(session, system_call(self.name), now(), 100) == 100

    @on_event("linli.residents.area_added.v1", "linli.residents.area_renamed.v1")
    def on_area_changed(self, event: CloudEvent) -> None:
        """Keep the place as it is now."""
        with self.db.transaction(event) as session:
            projections.keep_area(session, event)

    @on_event("linli.residents.department_added.v1", "linli.residents.department_changed.v1")
    def on_department_changed(self, event: CloudEvent) -> None:
        """Keep the department as it is now."""
        with self.db.transaction(event) as session:
            projections.keep_department(session, event)

    @on_event(
        "linli.residents.duty_started.v1",
        "linli.residents.duty_changed.v1",
        "linli.residents.duty_ended.v1",
    )
    def on_duty_changed(self, event: CloudEvent) -> None:
        """Keep the duty as it is now."""
        with self.db.transaction(event) as session:
            projections.keep_duty(session, event)

    @on_event("linli.residents.resident_erased.v1")
    def on_resident_erased(self, event: CloudEvent) -> None:
        """Take away what leads to the person."""
        with self.db.transaction(event) as session:
            erasure.forget_person(session, event)


def _screened(
    handle: Callable[[Session, Call, Json], Json], session: Session, call: Call, command: Json
) -> Json:
    answer, masked = handle(session, call, command), masked_in(command)
    return {**answer, "masked": masked} if masked else answer
