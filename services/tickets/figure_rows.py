"""The projection `figures`: it follows each entry of history in the same transaction, and can be
made anew from history while the system runs.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import Connection, Engine, and_, create_engine, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import gathering
from chassis.settings import ServiceSettings
from chassis.walls import EVERYTHING, WalledSession
from services.tickets import figures
from services.tickets.figures import Entry, Figure
from services.tickets.lifecycle import State
from services.tickets.models import FIGURES, HISTORY, TICKETS
from services.tickets.ticket import Ticket

_FACTS = (
    "ticket",
    "since",
    "filed_at",
    "channel",
    "category",
    "state",
    "department",
    "accepted_at",
    "uncontacted",
    "solved",
    "satisfied",
)
_COLUMNS = [FIGURES.c[name] for name in (*_FACTS, "area_path", "exclusions")]
_BATCH = 200


def begin(session: Session, ticket: Ticket) -> None:
    """Begin the figure of a ticket that was just filed."""
    figure = Figure(
        ticket=ticket.id,
        since=ticket.filed_at,
        filed_at=ticket.filed_at,
        area_path=ticket.area_path,
        channel=ticket.channel,
        category=ticket.category,
    )
    gathering.insert(session, FIGURES, _row(figure))


def follow(session: Session, row: Mapping[str, Any]) -> None:
    """Let the figure of a ticket follow a row of its history that is being written. The caller
    holds the ticket's row lock.
    """
    before = current(session, row["ticket"])
    if before is None:
        # It was filed before there were figures.
        _make_anew(session, [row["ticket"]])
        before = current(session, row["ticket"])
    if before and (after := figures.learn(before, _entry(row))) != before:
        _follow(session, before, after)


def current(session: Session, ticket: str) -> Figure | None:
    """What the rates know of a ticket now."""
    query = select(*_COLUMNS).where(FIGURES.c.ticket == ticket, FIGURES.c.until.is_(None))
    row = session.execute(query).first()
    return None if row is None else _figure(row)


def _figure(row: Any) -> Figure:
    return Figure(
        **{name: getattr(row, name) for name in _FACTS if name != "state"},
        state=State(row.state),
        area_path=tuple(row.area_path),
        exclusions=frozenset(row.exclusions),
    )


def _follow(session: Session, before: Figure, after: Figure) -> None:
    key = and_(FIGURES.c.ticket == before.ticket, FIGURES.c.since == before.since)
    if after.since == before.since:
        session.execute(update(FIGURES).where(key).values(_row(after)))
        return
    session.execute(update(FIGURES).where(key).values(until=after.since))
    gathering.insert(session, FIGURES, _row(after))


def _row(figure: Figure) -> dict[str, Any]:
    return {
        **{name: getattr(figure, name) for name in _FACTS},
        "area": figure.area_path[-1],
        "area_path": list(figure.area_path),
        # Of a place that belongs to no community it is the code of the larger one.
        "community": figure.area_path[-1].partition(".")[0],
        "exclusions": sorted(figure.exclusions),
        **figures.parts(figure),
        "until": None,
    }


def rebuild(environ: Mapping[str, str]) -> int:
    """Make all figures of the database anew that the environment names, and say of how many
    tickets. Raises SettingsError.
    """
    engine = create_engine(ServiceSettings.load("tickets", environ).database_url)
    try:
        return make_anew(engine)
    finally:
        engine.dispose()


def make_anew(engine: Engine | Connection) -> int:
    """Make all figures anew from history, some hundred tickets in a transaction, and say of how
    many tickets. What is filed or moved meanwhile waits a moment for its batch, or is up to date.
    """
    last, made = None, 0
    while True:
        with WalledSession(engine, info={"wall": EVERYTHING}) as session, session.begin():
            query = select(TICKETS.c.id).order_by(TICKETS.c.id).limit(_BATCH).with_for_update()
            query = query.where(TICKETS.c.id > last) if last else query
            tickets = list(session.scalars(query))
            if not tickets:
                return made
            _make_anew(session, tickets)
        last, made = tickets[-1], made + len(tickets)


def _make_anew(session: Session, tickets: Sequence[str]) -> None:
    session.execute(delete(FIGURES).where(FIGURES.c.ticket.in_(tickets)))
    session.execute(insert(FIGURES), _from_history(session, tickets))


def _from_history(session: Session, tickets: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of these tickets, as their history tells."""
    facts = (TICKETS.c.area_path, TICKETS.c.channel, TICKETS.c.category)
    query = (
        select(HISTORY, *facts)
        .join(TICKETS, TICKETS.c.id == HISTORY.c.ticket)
        .where(HISTORY.c.ticket.in_(tickets))
        .order_by(HISTORY.c.ticket, HISTORY.c.sequence)
    )
    found = (dict(row._mapping) for row in session.execute(query))
    return [
        row for _, entries in groupby(found, lambda row: row["ticket"]) for row in _rows(entries)
    ]


def _rows(history: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    filing, *others = history
    filed = Figure(
        ticket=filing["ticket"],
        since=filing["occurred_at"],
        filed_at=filing["occurred_at"],
        area_path=tuple(filing["area_path"]),
        channel=filing["channel"],
        # Where it was filed, which the first releases did not write down.
        category=filing["details"].get("category", filing["category"]),
    )
    rows = [_row(figure) for figure in figures.through(filed, map(_entry, others))]
    for row, later in pairwise(rows):
        row["until"] = later["since"]
    return rows


def _entry(row: Mapping[str, Any]) -> Entry:
    return Entry(
        row["move"],
        State(row["to_state"]),
        row["department"],
        row["occurred_at"],
        row["details"],
    )
