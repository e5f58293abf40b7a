"""What people prefer, in the database: a row for whoever has said something, the defaults for all
others.
"""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock
from chassis.errors import Invalid
from services.notifications import choices
from services.notifications.choices import Preferred
from services.notifications.models import Preference
from services.notifications.quiet import Digest, Quiet, next_digest
from services.notifications.texts import Texts

_MESSAGES = {
    "unknown_purpose": "There is no such purpose.",
    "unknown_channel": "This is not told by this channel.",
    "cannot_be_turned_off": "This cannot be turned off.",
}


# What `of` reads of a row.
COLUMNS = ("choices", "quiet_from", "quiet_to", "digest")


def of(row: Preference | Row[Any] | None) -> Preferred:
    """What a row says; the defaults where there is none, or an outer join has found none."""
    if row is None or row.digest is None:
        return Preferred()
    start, end = row.quiet_from, row.quiet_to
    quiet = None if start is None or end is None else Quiet(start, end)
    return Preferred(row.choices, quiet, Digest(row.digest), said=True)


def read(session: Session, person: UUID) -> Preferred:
    """What a person prefers."""
    return of(session.get(Preference, person))


def change(
    session: Session, person: UUID, wanted: Mapping[str, Any], default: Quiet | None, at: datetime
) -> Preferred:
    """Keep what a person says anew, and leave the rest; raises Invalid. Who has said nothing so far
    begins with the `default` quiet hours.
    """
    row = _locked(session, person, default, at)
    before = of(row)
    row.choices = choices.changed(before.choices, _checked(wanted.get("purposes", {})))
    if "quiet_hours" in wanted:
        quiet: Quiet | None = wanted["quiet_hours"]
        row.quiet_from, row.quiet_to = (quiet.start, quiet.end) if quiet else (None, None)
    how_often: Digest = wanted.get("digest", before.digest)
    if how_often is not before.digest:
        # Whoever wants no digest any more gets what has been gathered at once.
        row.next_digest_at = next_digest(how_often, at) or at
        row.digest = how_often
    row.updated_at = at
    session.flush()
    return of(row)


def answer(
    preferred: Preferred, default: Quiet | None, texts: Texts, locale: str
) -> dict[str, Any]:
    """What a person prefers, and what cannot be turned off and why, in the reader's language."""
    quiet = preferred.quiet_hours(default)
    return {
        "purposes": choices.effective(preferred.choices),
        "fixed": [
            {
                "channel": fixed.channel,
                "purpose": fixed.purpose,
                "reason": fixed.reason,
                "text": texts.explain(f"fixed.{fixed.reason}", locale),
            }
            for fixed in choices.FIXED
        ],
        "quiet_hours": quiet and {"from": _hour(quiet.start), "to": _hour(quiet.end)},
        "digest": preferred.digest,
        "time_zone": clock.ZONE.key,
    }


def _locked(session: Session, person: UUID, default: Quiet | None, at: datetime) -> Preference:
    """The person's row, made with the defaults if there was none."""
    made = insert(Preference).values(
        person=person,
        choices={},
        quiet_from=default and default.start,
        quiet_to=default and default.end,
        digest=Digest.OFF,
        updated_at=at,
    )
    session.execute(made.on_conflict_do_nothing())
    return session.scalars(
        select(Preference).where(Preference.person == person).with_for_update()
    ).one()


def _checked(change: choices.Choices) -> choices.Choices:
    errors = [
        {"pointer": pointer, "code": code, "message": _MESSAGES[code]}
        for pointer, code in choices.faults(change)
    ]
    if errors:
        raise Invalid(errors=errors)
    return change


def _hour(hour: time) -> str:
    return hour.strftime("%H:%M")
