"""Inbox items, and with them the messages about them: for all whom one piece of news concerns."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ARRAY, Table, Text, Uuid, bindparam, column, exists, func, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.ids import new_id
from services.notifications import deliveries, forgetting, preferences
from services.notifications.models import Forgotten, Notification, Preference
from services.notifications.news import Telling
from services.notifications.outcome import Reason

# Built once, and of tables: with all news SQLAlchemy has only its values to look at.
_ITEM, _FORGOTTEN, _PREFERENCE = (
    cast("Table", model.__table__) for model in (Notification, Forgotten, Preference)
)
_NEWS = ("event", "ticket", "sequence", "variables", "at", "created_at")
_WHOM = (
    func.unnest(
        bindparam("ids", type_=ARRAY(Uuid)),
        bindparam("people", type_=ARRAY(Uuid)),
        bindparam("purposes", type_=ARRAY(Text)),
    )
    .table_valued(column("id", Uuid), column("person", Uuid), column("purpose", Text))
    .render_derived(name="whom")
)
_TOLD = (
    insert(_ITEM)
    .from_select(
        ["id", "person", "purpose", *_NEWS],
        select(
            *_WHOM.c, *(bindparam(f"its_{name}", type_=_ITEM.c[name].type) for name in _NEWS)
        ).where(~exists().where(_FORGOTTEN.c.person == _WHOM.c.person)),
    )
    .on_conflict_do_nothing()
    .returning(_ITEM.c.id, _ITEM.c.person)
    .cte("told")
)
# As it is until the end of the transaction: what is kept for a digest must not miss the last one.
_PREFERRED = (
    select(_PREFERENCE)
    .where(_PREFERENCE.c.person == _TOLD.c.person)
    .with_for_update(read=True)
    .lateral("preferred")
)
_PUT = select(*_TOLD.c, *(_PREFERRED.c[name] for name in preferences.COLUMNS)).select_from(
    _TOLD.outerjoin(_PREFERRED, true())
)


def put(
    session: Session,
    news: Mapping[str, Any],
    whom: Collection[Telling],
    *,
    stale: Reason | None,
    at: datetime,
) -> None:
    """An item and a message for each of `whom`, but not for who was erased, or was told of the
    event before. `news` is what the items have in common: event, ticket, sequence, variables, at.
    """
    if not whom:
        return
    people = {telling.person: telling for telling in whom}
    forgetting.hold(session, people)
    shared = {f"its_{name}": value for name, value in {**news, "created_at": at}.items()}
    each = {
        "ids": [new_id() for _ in people],
        "people": [*people],
        "purposes": [telling.purpose for telling in people.values()],
    }
    told = session.execute(_PUT, shared | each).all()
    messages = [
        deliveries.queued(row.id, people[row.person], preferences.of(row), stale=stale, at=at)
        for row in told
        if people[row.person].also
    ]
    deliveries.queue(session, messages)
