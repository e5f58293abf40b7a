"""The feed table: what the log stream held, in order, for whoever asks from some point on."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Table,
    and_,
    bindparam,
    false,
    func,
    insert,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from chassis import events
from chassis.errors import Gone, Invalid, Permanent
from chassis.stream import StreamMessage
from services.gateway.feed_models import FeedEvent, FeedState
from services.gateway.feed_rules import Facts, Filters, Selection, facts_of, tree_key

_CURSOR = re.compile(r"([1-9][0-9]{0,17})-(-1|0|[1-9][0-9]{0,17})")
_TICKETS = "linli.tickets."


class CursorMalformed(Invalid):
    """This is no cursor of the event feed."""

    code = "invalid_cursor"


class CursorGone(Gone):
    """The events after this cursor cannot be told any more; begin anew, without a cursor or from
    `restart_from`, and read afresh what matters to you.
    """

    code = "cursor_gone"


class NotTheIndexer(Exception):
    """Somebody else has indexed meanwhile."""


@dataclass(frozen=True)
class Cursor:
    """A place in the feed: after the message at `offset` of the stream's incarnation `epoch`; -1 is
    before the first, so that whoever comes before there is anything misses nothing either.
    """

    epoch: int
    offset: int

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """The cursor `<epoch>-<offset>`; raises CursorMalformed."""
        match = _CURSOR.fullmatch(text)
        if match is None:
            raise CursorMalformed()
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.epoch}-{self.offset}"


@dataclass(frozen=True)
class Item:
    """One message of the stream: its place, and the event in it if it holds one."""

    offset: int
    digest: str
    body: str | None = None
    facts: Facts | None = None

    def admitted_by(self, selection: Selection) -> bool:
        """Whether there is an event in it that the reader gets."""
        return self.facts is not None and selection.admits(self.facts)


@dataclass(frozen=True)
class State:
    """How far the stream is indexed: up to and with `offset`, None for not at all."""

    epoch: int
    offset: int | None = None
    digest: str | None = None


@dataclass(frozen=True)
class Found:
    """Offsets and bodies of events; nothing else up to `reached` is for this reader."""

    items: Sequence[tuple[int, str]]
    reached: int


def item_of(message: StreamMessage) -> Item:
    """The message as an item. Whatever else got into the stream keeps its place, unseen."""
    unseen = Item(message.offset, message.digest)
    if len(message.body) > events.MAX_BODY:
        return unseen
    try:
        text = message.body.decode()
        events.parse(text)
        facts = facts_of(json.loads(text))
    except (Permanent, ValueError, IndexError):
        return unseen
    return Item(message.offset, message.digest, text, facts) if facts.storable() else unseen


def events_after(
    session: Session, cursor: Cursor, selection: Selection, limit: int, until: int
) -> Found:
    """At most `limit` events after `cursor` and not after the offset `until`, oldest first."""
    query = (
        select(FeedEvent.log_offset, FeedEvent.body)
        .where(
            FeedEvent.epoch == cursor.epoch,
            FeedEvent.log_offset > cursor.offset,
            FeedEvent.log_offset <= until,
            FeedEvent.body.is_not(None),
            clause(selection),
        )
        .order_by(FeedEvent.log_offset)
        .limit(limit)
    )
    items = [(offset, selection.tell(str(body))) for offset, body in session.execute(query)]
    reached = items[-1][0] if len(items) == limit else max(until, cursor.offset)
    return Found(items, reached)


def clause(selection: Selection) -> ColumnElement[bool]:
    """`Selection.admits` in SQL."""
    tickets = FeedEvent.type.startswith(_TICKETS, autoescape=True)
    visible = or_(
        false(),
        *(_holds(reach, selection.actor) for reach in selection.reaches),
        *(and_(tickets, _holds(reach, selection.actor)) for reach in selection.ticket_reaches),
    )
    return and_(visible, *_matches(selection.filters))


def load_state(session: Session, moment: datetime) -> State:
    """How far the stream is indexed; the first to ask begins the first epoch."""
    query = select(FeedState.epoch, FeedState.log_offset, FeedState.digest)
    row = session.execute(query).first()
    if row is None:
        first = {"id": 1, "epoch": int(moment.timestamp())}
        session.execute(upsert(FeedState).values(first).on_conflict_do_nothing())
        row = session.execute(query).one()
    return State(*row)


def begin_epoch(session: Session, old_epoch: int, moment: datetime) -> State:
    """Begin a new epoch after `old_epoch`, unless another gateway has; the state as it is then."""
    # A time, so that a database that is made anew does not begin to count where cursors of the old
    # one might fit.
    session.execute(
        update(FeedState)
        .where(FeedState.epoch == old_epoch)
        .values(epoch=max(old_epoch + 1, int(moment.timestamp())), log_offset=None, digest=None)
    )
    return load_state(session, moment)


# Built once, and of tables: for each batch SQLAlchemy has only its values to look at.
_STATES, _FEED = (cast("Table", model.__table__) for model in (FeedState, FeedEvent))
_MOVE = (
    update(_STATES)
    .where(
        _STATES.c.epoch == bindparam("old_epoch"),
        _STATES.c.log_offset.is_not_distinct_from(bindparam("old_offset", type_=BigInteger)),
    )
    .values(log_offset=bindparam("new_offset"), digest=bindparam("new_digest"))
    .returning(_STATES.c.id)
)
_APPEND = insert(_FEED)


def store(session: Session, state: State, items: Sequence[Item], moment: datetime) -> State:
    """Index items that follow `state`, all or none of them, and hide what they hide; raises
    NotTheIndexer.
    """
    last = items[-1]
    old = {"old_epoch": state.epoch, "old_offset": state.offset}
    new = {"new_offset": last.offset, "new_digest": last.digest}
    if session.execute(_MOVE, {**old, **new}).first() is None:
        raise NotTheIndexer
    session.execute(_APPEND, [_row(state.epoch, item, moment) for item in items])
    for item in items:
        if item.facts and item.facts.hides:
            _hide(session, item.facts.subject, Cursor(state.epoch, item.offset))
    return State(state.epoch, last.offset, last.digest)


def prepare(session: Session, moment: datetime) -> None:
    """Make sure there are partitions for this day (UTC) and the next."""
    for day in (moment.date(), moment.date() + timedelta(days=1)):
        session.execute(select(func.feed_prepare(day)))


def forget(session: Session, moment: datetime, days: int) -> int:
    """Drop what was indexed more than `days` days ago; how many
    partitions went.
    """
    dropped = session.scalar(select(func.feed_forget(moment.date() - timedelta(days=days))))
    return int(dropped or 0)


def digest_at(session: Session, epoch: int, offset: int) -> str | None:
    """What the message at `offset` is recognised by; None when it is forgotten."""
    at = select(FeedEvent.digest).where(FeedEvent.epoch == epoch, FeedEvent.log_offset == offset)
    return session.scalar(at)


def oldest(session: Session, epoch: int) -> int | None:
    """The offset of the oldest message that is kept."""
    return session.scalar(
        select(FeedEvent.log_offset)
        .where(FeedEvent.epoch == epoch)
        .order_by(FeedEvent.log_offset)
        .limit(1)
    )


def _hide(session: Session, subject: str, before: Cursor) -> None:
    """Make public no more what was said of a subject before; of earlier epochs nothing is told."""
    session.execute(
        update(FeedEvent)
        .where(
            FeedEvent.subject == subject,
            FeedEvent.epoch == before.epoch,
            FeedEvent.log_offset < before.offset,
            FeedEvent.public,
        )
        .values(public=False)
    )


def _row(epoch: int, item: Item, moment: datetime) -> dict[str, Any]:
    facts = item.facts or Facts(type="", subject="")
    return {
        "epoch": epoch,
        "log_offset": item.offset,
        "day": moment.date(),
        "digest": item.digest,
        "body": item.body,
        "type": facts.type,
        "subject": facts.subject,
        "area": facts.area,
        "departments": sorted(facts.departments),
        "owners": sorted(facts.owners),
        "holders": sorted(facts.holders),
        "public": facts.public,
    }


def _holds(reach: str, actor: str | None) -> ColumnElement[bool]:
    kind, _, code = reach.partition(":")
    if kind == "area":
        return _within(code)
    if kind == "department":
        return FeedEvent.departments.contains([code])
    if kind == "own":
        return FeedEvent.owners.contains([actor]) if actor else false()
    if kind == "holder":
        return FeedEvent.holders.contains([actor]) if actor else false()
    if kind == "public":
        return FeedEvent.public.is_(True)
    return true() if kind == "any" else false()


def _matches(filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.types:
        found.append(FeedEvent.type.in_(filters.types))
    if filters.area is not None:
        found.append(_within(filters.area))
    if filters.department is not None:
        found.append(FeedEvent.departments.contains([filters.department]))
    if filters.subject is not None:
        found.append(FeedEvent.subject == filters.subject)
    return found


def _within(code: str) -> ColumnElement[bool]:
    key = tree_key(code)
    return FeedEvent.area.startswith(key, autoescape=True) if key else false()
