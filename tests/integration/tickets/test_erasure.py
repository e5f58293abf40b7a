"""A person was erased: what they raised stays, and nothing of it leads to them."""

import pytest
from marshmallow import ValidationError
from sqlalchemy import select, text

from chassis.ids import new_id
from services.tickets import erasure
from services.tickets.models import CommentRow, HistoryRow, TicketRow
from tests.integration.tickets.world import World, fact_event
from tests.unit.tickets import builders

REPORTER, NEIGHBOUR, CLERK = builders.resident(), builders.resident(), builders.clerk()


def erased(person: str | None):
    return fact_event("resident_erased", {"resident": person})


def test_tickets_history_and_comments_stay_without_the_person(world: World) -> None:
    ticket = world.file(REPORTER)
    world.act(REPORTER, "comment", ticket, text="还在漏")
    world.act(CLERK, "comment", ticket, text="已安排")

    erasure.forget_person(world.session, erased(REPORTER.actor.id))

    row = world.session.scalars(select(TicketRow).where(TicketRow.id == ticket["id"])).one()
    assert (row.reporter, row.filed_by, row.description) == (None, None, ticket["description"])
    actors = world.session.scalars(
        select(HistoryRow.actor)
        .where(HistoryRow.ticket == ticket["id"])
        .order_by(HistoryRow.sequence)
    ).all()
    assert actors == [None, None, CLERK.actor.id]
    authors = world.session.scalars(
        select(CommentRow.author)
        .where(CommentRow.ticket == ticket["id"])
        .order_by(CommentRow.sequence)
    ).all()
    assert authors == [None, CLERK.actor.id]


def test_whom_a_ticket_was_raised_for_is_unlinked_and_its_writer_is_not(world: World) -> None:
    behalf = {"resident": REPORTER.actor.id}
    ticket = world.file(CLERK, on_behalf_of=behalf, reporter=behalf)

    erasure.forget_person(world.session, erased(REPORTER.actor.id))

    row = world.session.scalars(select(TicketRow).where(TicketRow.id == ticket["id"])).one()
    assert (row.reporter, row.on_behalf_of, row.filed_by) == (None, None, CLERK.actor.id)


@pytest.mark.parametrize("said", ["reporter", "on_behalf_of"])
def test_where_exactly_it_was_goes_with_whom_it_is_about(world: World, said: str) -> None:
    where = {"address": "3号楼2单元501", "location": {"lat": 32.9, "lon": 117.4}}
    behalf = {said: {"resident": REPORTER.actor.id}}
    theirs, others = world.file(CLERK, **where, **behalf), world.file(NEIGHBOUR, **where)

    erasure.forget_person(world.session, erased(REPORTER.actor.id))

    def left(ticket):
        row = world.session.scalars(select(TicketRow).where(TicketRow.id == ticket["id"])).one()
        return row.address, row.latitude, row.longitude, row.area

    assert left(theirs) == (None, None, None, theirs["area"])
    assert left(others) == ("3号楼2单元501", 32.9, 117.4, others["area"])


def test_other_peoples_tickets_are_not_touched(world: World) -> None:
    ticket = world.file(NEIGHBOUR)

    erasure.forget_person(world.session, erased(REPORTER.actor.id))

    assert world.act(NEIGHBOUR, "get_ticket", ticket)["id"] == ticket["id"]


def test_it_works_on_with_a_ticket_that_nobody_raised(world: World) -> None:
    ticket = world.file(REPORTER)
    erasure.forget_person(world.session, erased(REPORTER.actor.id))

    accepted = world.act(CLERK, "accept", ticket)

    assert (accepted["state"], accepted["reporter"]) == ("accepted", None)


def test_an_event_about_nobody_is_refused_for_good(world: World) -> None:
    with pytest.raises(ValidationError):
        erasure.forget_person(world.session, erased(None))


def test_a_persons_tickets_are_found_by_indexes_only(world: World) -> None:
    world.session.execute(text("SET LOCAL enable_seqscan = off"))
    condition = " OR ".join(f"{column.key} = '{new_id()}'" for column in erasure.RAISED_BY)

    plan = world.session.scalars(text(f"EXPLAIN SELECT id FROM tickets WHERE {condition}")).all()

    assert sum("Bitmap Index Scan" in line for line in plan) == 3, plan
