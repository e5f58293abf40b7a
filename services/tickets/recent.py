"""What has happened of late, for whoever follows it from outside: tickets, their changes, and the
place that a filing from there is for. Open311 is made of these.

Every question is about a period, so that it costs what happened then, however much lies before.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, and_, or_, select, true, tuple_
from sqlalchemy.orm import Session

from chassis import clock
from chassis.call import Call
from services.tickets import access, numbers, projections, queries, reaches, rows, views
from services.tickets.errors import UnknownJurisdiction, fault
from services.tickets.fact_models import AreaRow
from services.tickets.models import HISTORY, TICKETS, CommentRow
from services.tickets.ticket import Ticket

Query = Mapping[str, Any]

# What everybody may know who may read the ticket.
_TOLD = (
    "acceptance", "refusal", "assignment", "work", "send-back", "resolution", "closing",
    "reopening", "withdrawal", "comments",
)  # fmt: skip
_WIDE = ("district", "sub_district", "community")


def requests(session: Session, call: Call, query: Query) -> dict[str, Any]:
    """The tickets of a period that the caller may read, `{items}`: the newest first, or in the
    order in which their last changes were recorded when that is what is asked. Each says besides
    when that was, `updated_at`.
    """
    tickets = [rows.from_row(row) for row in session.execute(wanted_requests(call, query))]
    told = queries.tell(session, [(ticket, access.reader(call, ticket)) for ticket in tickets])
    updated = _updated(session, tickets)
    return {"items": [{**each, "updated_at": clock.iso(updated[each["id"]])} for each in told]}


def wanted_requests(call: Call, query: Query) -> Select[Any]:
    """The query behind `requests`."""
    if "recorded_from" in query or "recorded_until" in query:
        chosen = _by_last_change(call, query)
    else:
        chosen = select(*rows.COLUMNS).where(reaches.within(call, "read"), *_chosen(query))
        chosen = chosen.order_by(TICKETS.c.filed_at.desc(), TICKETS.c.id.desc())
    return chosen.offset(query["offset"]).limit(query["limit"])


def _by_last_change(call: Call, query: Query) -> Select[Any]:
    """Not by when it happened: what an importer dates back would never be told to somebody who
    polls.
    """
    ticket = _ticket_of_each(call, query, rows.COLUMNS, TICKETS.c.sequence == HISTORY.c.sequence)
    return (
        select(*(ticket.c[column.name] for column in rows.COLUMNS))
        .select_from(HISTORY)
        .join(ticket, true())
        .where(*_recorded(query))
        .order_by(HISTORY.c.recorded_at, HISTORY.c.ticket)
    )


def _updated(session: Session, tickets: Sequence[Ticket]) -> dict[str, datetime]:
    """When the last change of each was recorded."""
    last = tuple_(HISTORY.c.ticket, HISTORY.c.sequence).in_(
        [(ticket.id, ticket.sequence) for ticket in tickets]
    )
    found = session.execute(select(HISTORY.c.ticket, HISTORY.c.recorded_at).where(last))
    return {row.ticket: row.recorded_at for row in found}


def updates(session: Session, call: Call, query: Query) -> dict[str, Any]:
    """What was recorded in a period of the tickets that the caller may read, `{items}`, oldest
    first.
    """
    found = session.execute(wanted_updates(call, query))
    return {"items": [views.update(row, call.locale) for row in found]}


def wanted_updates(call: Call, query: Query) -> Select[Any]:
    """The query behind `updates`."""
    columns = ("ticket", "sequence", "move", "to_state", "recorded_at", "reason")
    comment = and_(CommentRow.ticket == HISTORY.c.ticket, CommentRow.sequence == HISTORY.c.sequence)
    wanted = {name: query[name] for name in query if name != "ids"}
    ticket = _ticket_of_each(call, wanted, (TICKETS.c.resolution, TICKETS.c.refusal))
    happened = (
        select(*(HISTORY.c[name] for name in columns))
        .add_columns(CommentRow.text, ticket.c.resolution, ticket.c.refusal)
        .select_from(HISTORY)
        .join(ticket, true())
        .outerjoin(CommentRow, comment)
        .where(
            *_recorded(query),
            HISTORY.c.move.in_(_TOLD),
            or_(HISTORY.c.move != "comments", CommentRow.visibility == "public"),
        )
        .order_by(HISTORY.c.recorded_at, HISTORY.c.ticket, HISTORY.c.sequence)
    )
    if "ids" in query:
        named = select(TICKETS.c.id).where(_named(query["ids"]))
        happened = happened.where(HISTORY.c.ticket.in_(named))
    return happened.offset(query["offset"]).limit(query["limit"])


def _ticket_of_each(
    call: Call, query: Query, columns: Sequence[Column[Any]], *conditions: ColumnElement[bool]
) -> Any:
    """The ticket of a row of history, if it is among those that are asked for. OFFSET keeps it
    behind its row: PostgreSQL would rather begin with all tickets of a place, however old.
    """
    return (
        select(*columns)
        .where(TICKETS.c.id == HISTORY.c.ticket, *conditions)
        .where(reaches.within(call, "read"), *_chosen(query))
        .offset(0)
        .lateral()
    )


def _recorded(query: Query) -> list[ColumnElement[bool]]:
    at = HISTORY.c.recorded_at
    begin = [at >= query["recorded_from"]] if "recorded_from" in query else []
    return begin + ([at <= query["recorded_until"]] if "recorded_until" in query else [])


def _chosen(query: Query) -> list[ColumnElement[bool]]:
    return [condition(query[name]) for name, condition in _FILTERS.items() if name in query]


def _named(references: list[str]) -> ColumnElement[bool]:
    """Those with one of these ids or numbers; what is neither is nobody's."""
    ids = [text for text in references if rows.is_id(text)]
    known = [text for text in references if numbers.is_number(text)]
    return or_(TICKETS.c.id.in_(ids), TICKETS.c.number.in_(known))


_FILTERS: Mapping[str, Callable[[Any], ColumnElement[bool]]] = {
    "ids": _named,
    "categories": TICKETS.c.category.in_,
    "area": reaches.in_area,
    "state": TICKETS.c.state.in_,
    "filed_from": lambda moment: TICKETS.c.filed_at >= moment,
    "filed_until": lambda moment: TICKETS.c.filed_at <= moment,
}


def jurisdiction(session: Session, query: Query) -> dict[str, Any]:
    """The place with this code, if it is a community or a wider one; raises
    UnknownJurisdiction.
    """
    return {"code": _wide(session, query["jurisdiction"]).code}


def filing_place(session: Session, query: Query) -> dict[str, Any]:
    """The code of the place that a filing is for: its own `address`, or else the one community that
    the jurisdiction, or the whole installation, has.

    Raises UnknownJurisdiction; Invalid (unknown_area, area_too_wide, outside_jurisdiction,
    ambiguous_jurisdiction).
    """
    code = query["jurisdiction"]
    wide = _wide(session, code) if code is not None else None
    if query["address"] is None:
        return {"code": _only_community(session, wide)}
    found = projections.area(session, query["address"])
    if wide is not None and wide.code not in found.path:
        raise fault("/area", "outside_jurisdiction", "This place lies in another jurisdiction.")
    return {"code": found.code}


def _wide(session: Session, code: str) -> AreaRow:
    found = session.get(AreaRow, code)
    if found is None or found.level not in _WIDE:
        raise UnknownJurisdiction()
    return found


def _only_community(session: Session, wide: AreaRow | None) -> str:
    statement = select(AreaRow.code).where(AreaRow.level == "community")
    if wide is not None:
        statement = statement.where(AreaRow.path.contains([wide.code]))
    communities = session.scalars(statement.limit(2)).all()
    if len(communities) != 1:
        raise fault(
            "/jurisdiction", "ambiguous_jurisdiction", "There are several communities: name one."
        )
    return communities[0]
