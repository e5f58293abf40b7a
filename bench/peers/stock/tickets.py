"""The tickets service: `python -m bench.peers.stock --config … bench.peers.stock.tickets`."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from nameko.rpc import rpc
from sqlalchemy import select, tuple_

from bench.peers import domain
from bench.peers.stock.database import DatabaseSession
from bench.peers.tables import NUMBERS, Area, Ticket, Tickets


class TicketsService:
    """What can be done with tickets."""

    name = "tickets"
    db = DatabaseSession(Tickets)

    @rpc
    def file_ticket(self, owner: str, command_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Store a ticket with its history and event; the same command finds what it made."""
        command = UUID(command_id)
        ticket = self.db.scalar(select(Ticket).where(Ticket.command_id == command))
        if ticket is None:
            area = self.db.get_one(Area, body["area"])
            number = self.db.scalars(select(NUMBERS.next_value())).one()
            ticket, history, event = domain.filed(body, area, UUID(owner), command, number)
            self.db.add(ticket)
            self.db.flush()
            self.db.add_all([history, event])
        areas = self._areas([ticket])
        self.db.commit()
        return domain.told(ticket, areas)

    @rpc
    def get_ticket(self, owner: str, ticket_id: str) -> dict[str, Any] | None:
        """One of the owner's tickets."""
        ticket = self.db.get(Ticket, UUID(ticket_id))
        if ticket is None or ticket.reporter != UUID(owner):
            return None
        return domain.told(ticket, self._areas([ticket]))

    @rpc
    def list_tickets(self, owner: str, limit: int, after: str | None) -> dict[str, Any]:
        """The owner's tickets, newest first."""
        wanted = select(Ticket).where(Ticket.reporter == UUID(owner))
        if after is not None:
            last = self.db.get_one(Ticket, UUID(after))
            wanted = wanted.where(
                tuple_(Ticket.filed_at, Ticket.id) < tuple_(last.filed_at, last.id)
            )
        newest = wanted.order_by(Ticket.filed_at.desc(), Ticket.id.desc()).limit(limit + 1)
        found = self.db.scalars(newest).all()
        return domain.page(found, self._areas(found), limit)

    def _areas(self, tickets: Sequence[Ticket]) -> dict[str, Area]:
        found = self.db.scalars(select(Area).where(Area.code.in_(domain.codes_of(tickets))))
        return {area.code: area for area in found}
