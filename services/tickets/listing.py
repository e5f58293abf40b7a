"""The lists of tickets: what the caller's grants reach, filtered, in one of four orders, page by
page; and whom to call.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    false,
    func,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session
from sqlalchemy.sql.expression import cast

from chassis import clock, walls
from chassis.call import Call
from services.tickets import (
    access,
    cursors,
    numbers,
    queries,
    rates,
    reaches,
    rows,
    scope,
    texts,
)
from services.tickets.categories import TREE
from services.tickets.lifecycle import State
from services.tickets.models import TICKETS
from services.tickets.reaches import Part
from services.tickets.ticket import Ticket

Query = Mapping[str, Any]


def list_tickets(session: Session, call: Call, query: Query) -> dict[str, Any]:
    """A page of the tickets that the caller may read, `{items, next}`; of a rate's, how many are
    `hidden` besides. Raises Invalid for a cursor of another list.
    """
    wanted = statement(call, query)
    if query.get("q") is not None:
        wanted = _found(session, wanted, query["sort"])
    page = _page(session, call, wanted, query["sort"], query["limit"])
    return {**page, "hidden": _hidden(session, call, query)} if "rate" in query else page


def _hidden(session: Session, call: Call, query: Query) -> int:
    """How many of the tickets behind a number the caller may not read: a department counts what it
    had at the time, also where another one has it now.
    """
    asked = rates.period(query, numbers.day_of(clock.now()))
    counted = rates.behind(call, query, asked).subquery()
    readable = select(TICKETS.c.id).where(
        TICKETS.c.id == counted.c.ticket, reaches.within(call, "read")
    )
    hidden = select(func.count()).select_from(counted).where(~readable.exists())
    return session.scalar(hidden) or 0


def _found(session: Session, wanted: Select[Any], sort: str) -> Select[Any]:
    """The query for the rows that `wanted` finds by their words.

    `@@` is not leakproof, so that below the wall a search would read all that the caller may see,
    however old. Only ids are found in front of it; the rows are read through it.
    """
    with walls.opened(session):
        found = session.scalars(wanted.with_only_columns(TICKETS.c.id)).all()
    return _sorted(select(*rows.COLUMNS).where(TICKETS.c.id.in_(found)), sort, None)


def call_list(session: Session, call: Call, query: Query) -> dict[str, Any]:
    """A page of what is resolved and not answered, longest waiting first, where the caller may ask
    its reporters. Raises as `list_tickets` does.
    """
    return _page(session, call, waiting(call, query), _LONGEST_WAITING, query["limit"])


def ledger(session: Session, call: Call, query: Query) -> dict[str, Any]:
    """A page of all that was filed in a period, in that order, where the caller may read and keep
    the ledger; `from` and `to` say which period that is. Raises as `rates.period` and
    `scope.require` do.
    """
    asked = rates.period(query, numbers.day_of(clock.now()))
    scope.require(session, call, query, "ledger.read")
    days = {"from": asked.first, "to": asked.last}
    return {
        **{name: day.isoformat() for name, day in days.items()},
        **_page(session, call, entries(call, {**query, **days}), "filed_at", query["limit"]),
    }


def _page(
    session: Session, call: Call, statement: Select[Any], sort: str, limit: int
) -> dict[str, Any]:
    found = session.execute(statement).all()
    page = [rows.from_row(row) for row in found[:limit]]
    return {
        "items": queries.tell(session, [(ticket, access.reader(call, ticket)) for ticket in page]),
        "next": _cursor(sort, page[-1]) if len(found) > limit else None,
    }


def _cursor(sort: str, last: Ticket) -> str:
    moment: datetime = getattr(last, sort.lstrip("-"))
    return cursors.after(sort, moment, last.id)


def statement(call: Call, query: Query) -> Select[Any]:
    """The query behind a page: one row more than its limit tells whether there is another page."""
    # To whom a ticket is merely public, it does not tell its persons, by no filter either.
    asks_for_persons = not _PERSONS.isdisjoint(query)
    readable = reaches.reached(call, "read", but="public" if asks_for_persons else "")
    chosen = select(*rows.COLUMNS)
    if readable and _is_plain(query) and all(part.ordered for part in readable):
        chosen = chosen.where(TICKETS.c.id.in_(_foremost(readable, query)))
    else:
        chosen = chosen.where(reaches.any_of(readable))
    if "rate" in query:
        chosen, query = _counted(call, chosen, query)
    for name, condition in _FILTERS.items():
        if query.get(name) is not None:
            chosen = chosen.where(condition(query[name]))
    return _sorted(chosen, query["sort"], query["after"]).limit(query["limit"] + 1)


def _is_plain(query: Query) -> bool:
    """Whether nothing is asked but what was filed last, or first."""
    filters = {name for name in (*_FILTERS, "rate") if query.get(name) is not None}
    return not filters and query["sort"].lstrip("-") == "filed_at"


def _foremost(parts: Sequence[Part], query: Query) -> CompoundSelect[Any]:
    """The ids of all that may be on the page: as many of each part as the page has. Each comes in
    this order from an index of its own, where of all parts at once PostgreSQL would read everything
    that they hold, or everything that there is.
    """
    sort, after, limit = query["sort"], query["after"], query["limit"] + 1
    each = (
        _sorted(select(TICKETS.c.id).where(part.holds), sort, after).limit(limit).subquery()
        for part in parts
    )
    return union_all(*(select(part.c.id) for part in each))


def _counted(call: Call, chosen: Select[Any], query: Query) -> tuple[Select[Any], Query]:
    """Those that a rate counts, and what is left of the query: where and whose they were at its
    time is for figures to say.
    """
    asked = rates.period(query, numbers.day_of(clock.now()))
    left = {name: value for name, value in query.items() if name not in rates.FILTERS}
    behind = TICKETS.c.id.in_(rates.behind(call, query, asked))
    return chosen.where(behind), {**left, "from": asked.first, "to": asked.last}


def entries(call: Call, query: Query) -> Select[Any]:
    """The query behind a page of the ledger."""
    kept = reaches.within(call, "ledger.read")
    return statement(call, {**query, "sort": "filed_at"}).where(kept)


def waiting(call: Call, query: Query) -> Select[Any]:
    """The query behind a page of the call list."""
    chosen = select(*rows.COLUMNS).where(
        TICKETS.c.state == State.RESOLVED,
        reaches.within(call, "read"),
        reaches.within(call, "call-list"),
    )
    if "area" in query:
        chosen = chosen.where(_FILTERS["area"](query["area"]))
    return _sorted(chosen, _LONGEST_WAITING, query["after"]).limit(query["limit"] + 1)


def _search(text: str) -> ColumnElement[bool]:
    """Tickets whose title or description contains every word, or whose number begins so."""
    wanted = texts.wanted(text)
    is_found = TICKETS.c.search.op("@@")(cast(wanted, TSQUERY)) if wanted is not None else false()
    if numbers.is_beginning(text):
        return or_(TICKETS.c.number.startswith(text), is_found)
    return is_found


_FILTERS: Mapping[str, Callable[[Any], ColumnElement[bool]]] = {
    "state": TICKETS.c.state.in_,
    "kind": lambda kind: TICKETS.c.kind == kind,
    "category": lambda code: TICKETS.c.category.in_(TREE.below(code)),
    "area": reaches.in_area,
    "department": lambda code: (
        TICKETS.c.department.is_(None)
        if code == scope.NO_DEPARTMENT
        else TICKETS.c.department == code
    ),
    "from": lambda day: TICKETS.c.filed_at >= rates.start(day),
    "to": lambda day: TICKETS.c.filed_at < rates.after(day),
    "assignee": lambda person: TICKETS.c.assignee == person,
    "reporter": lambda person: TICKETS.c.reporter == person,
    "channel": lambda channel: TICKETS.c.channel == channel,
    "q": _search,
}
_PERSONS = frozenset({"assignee", "reporter"})
_LONGEST_WAITING = "resolved_at"


def _sorted(chosen: Select[Any], sort: str, after: str | None) -> Select[Any]:
    column = TICKETS.c[sort.lstrip("-")]
    descending = sort.startswith("-")
    if after is not None:
        place = tuple_(*cursors.read(after, sort))
        key = tuple_(column, TICKETS.c.id)
        chosen = chosen.where(key < place if descending else key > place)
    order = (column.desc(), TICKETS.c.id.desc()) if descending else (column, TICKETS.c.id)
    return chosen.order_by(*order)
