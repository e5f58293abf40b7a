"""Care tags are given and ended. There is no event of it: even the fact is nobody else's."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from chassis.call import Call
from chassis.errors import NotFound
from chassis.ids import new_id
from services.residents import days
from services.residents.care import queries as reading
from services.residents.care.models import CareTag
from services.residents.commands import rows
from services.residents.errors import CareTagGiven
from services.residents.vault import Vault

Wanted = Mapping[str, Any]


def give(session: Session, call: Call, vault: Vault, wanted: Wanted) -> dict[str, Any]:
    """Give a tag to a person. Raises NotFound, Forbidden, Invalid, CareTagGiven."""
    # Locked: nobody is given a tag while they are erased.
    person = reading.seen(session, call, wanted["id"], "care_tags.write", lock=True)
    key = reading.noted_key(session, call, vault, person)
    if key is None:
        raise NotFound  # Erased: there is nobody to care for.
    tag_id, note = new_id(), wanted["note"]
    tag = CareTag(
        id=tag_id,
        resident=person.id,
        tag=wanted["tag"],
        note=note and key.seal(reading.note_field(tag_id), note),
        starts=days.told(wanted["starts"], call, "from"),
        ends=None,
        given_by=call.actor.id,
        sequence=1,
        command_id=call.command_id,
    )
    if not rows.store(session, tag):
        made = rows.made_by(session, CareTag, call)
        if made is None:
            raise CareTagGiven
        tag = made
    return reading.answer(tag, key)


def end(session: Session, call: Call, vault: Vault, wanted: Wanted) -> dict[str, Any]:
    """Set the last day of a tag, or correct it. Raises NotFound, Forbidden, Invalid."""
    person = reading.seen(session, call, wanted["id"], "care_tags.write")
    tag = session.get(CareTag, wanted["care_tag"], with_for_update=True)
    if tag is None or tag.resident != person.id:
        raise NotFound
    ends = days.told(wanted["ends"], call, "to")
    if tag.ends != ends:
        days.check_order(tag.starts, ends)
        tag.ends, tag.ended_by = ends, call.actor.id
        tag.sequence += 1
        session.flush()
    return reading.answer(tag, reading.noted_key(session, call, vault, person))
