"""Templates that people edit: what holds, every version with who and when, and the way back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, func, select, update
from sqlalchemy.orm import Session

from chassis import clock
from chassis.errors import Invalid
from services.notifications import choices, editing
from services.notifications.errors import UnknownTemplate
from services.notifications.models import Edited
from services.notifications.texts import LOCALES, Custom, Texts, variables_of

# How many versions an answer tells of.
TOLD = 20
_MESSAGES = {
    "unknown_part": "This channel has no such part.",
    "missing_part": "This part is missing.",
    "empty_part": "This part says nothing.",
    "too_long": "This part is too long.",
    "template_syntax": "The template cannot be read; the pointer ends in the line.",
    "not_in_templates": "This cannot be used in a template; the pointer ends in the line.",
    "unknown_variable": "This purpose has no such variable; the pointer ends in the line.",
    "missing_variable": "This part must name what it is about.",
    "absent_variable": "This may be absent, by some channels it always is: ask with `if`.",
    "too_many_segments": "This would take too many short messages.",
}
# Built once, and of the table: with each round and look at an inbox SQLAlchemy compiles nothing.
_EDITED = cast("Table", Edited.__table__)
_CUSTOM = select(*(_EDITED.c[name] for name in ("purpose", "channel", "locale", "parts"))).where(
    _EDITED.c.current, _EDITED.c.parts.is_not(None)
)

Key = tuple[str, str, str]


def key_of(wanted: Mapping[str, Any]) -> Key:
    """Purpose, channel and language of a template; raises UnknownTemplate."""
    purpose, channel, locale = wanted["purpose"], wanted["channel"], wanted["locale"]
    if channel not in choices.all_channels().get(purpose, {}) or locale not in LOCALES:
        raise UnknownTemplate
    return purpose, channel, locale


def entries(session: Session) -> list[dict[str, Any]]:
    """Every template, by purpose, channel and language, and whether it says what was shipped."""
    edited = custom(session)
    return [
        {"purpose": purpose, "channel": channel, "locale": locale, "is_shipped": key not in edited}
        for purpose, channels in choices.all_channels().items()
        for channel in channels
        for locale in LOCALES
        for key in [(purpose, channel, locale)]
    ]


def custom(session: Session) -> Custom:
    """What holds instead of what was shipped."""
    edited = session.execute(_CUSTOM)
    return {(row.purpose, row.channel, row.locale): row.parts for row in edited}


def read(session: Session, texts: Texts, key: Key) -> dict[str, Any]:
    """A template as it holds, what was shipped, and its latest versions."""
    purpose, channel, locale = key
    versions = session.scalars(
        select(Edited).where(*_is(key)).order_by(Edited.version.desc()).limit(TOLD)
    ).all()
    shipped = texts.shipped(*key)
    edited = versions[0].parts if versions else None
    return {
        "purpose": purpose,
        "channel": channel,
        "locale": locale,
        "parts": edited or shipped,
        "shipped": shipped,
        "is_shipped": edited is None,
        "variables": sorted(variables_of(purpose)),
        "versions": [_version(row) for row in versions],
    }


def write(
    session: Session, key: Key, parts: Mapping[str, str] | None, by: str | None, at: datetime
) -> None:
    """Let a template say this from now on, or with None what was shipped; what it says already
    makes no new version. Raises Invalid, with a pointer to the line at fault.
    """
    if parts is not None:
        check(key, parts)
    # Two that edit one template come one after the other; there may be no row to lock yet.
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("/".join(key)))))
    before = session.scalar(select(Edited).where(*_is(key), Edited.current))
    if (before.parts if before else None) == (dict(parts) if parts is not None else None):
        return
    session.execute(update(Edited).where(*_is(key), Edited.current).values(current=False))
    purpose, channel, locale = key
    session.add(
        Edited(
            purpose=purpose,
            channel=channel,
            locale=locale,
            version=before.version + 1 if before else 1,
            parts=dict(parts) if parts is not None else None,
            at=at,
            by=by,
            current=True,
        )
    )
    session.flush()


def preview(key: Key, parts: Mapping[str, str]) -> dict[str, Any]:
    """What a template would say, on samples; raises Invalid."""
    check(key, parts)
    said = editing.rendered(*key, parts)
    taken = editing.segments(said["text"]) if key[1] == "sms" else None
    return {"parts": said, "segments": taken}


def check(key: Key, parts: Mapping[str, str]) -> None:
    """Raises Invalid, with a pointer for each fault that ends in the line, if it has one."""
    errors = [
        {
            "pointer": "/".join(("/parts", fault.part, *([str(fault.line)] if fault.line else []))),
            "code": fault.code,
            "message": _MESSAGES[fault.code],
        }
        for fault in editing.faults(*key, parts)
    ]
    if errors:
        raise Invalid(errors=errors)


def _is(key: Key) -> tuple[Any, ...]:
    purpose, channel, locale = key
    return Edited.purpose == purpose, Edited.channel == channel, Edited.locale == locale


def _version(row: Edited) -> dict[str, Any]:
    return {
        "version": row.version,
        "at": clock.iso(row.at),
        "by": row.by,
        "is_shipped": row.parts is None,
        "parts": row.parts,
    }
