"""What callers get to see: rows as JSON values. Phone, ID number and e-mail address are masked in
every answer, names in every list.
"""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from chassis import clock
from services.residents import area_codes, masking
from services.residents.consent_purposes import PURPOSES
from services.residents.personal import Personal
from services.residents.sealing import SEALED, opened
from services.residents.vault import DataKey

# The personal fields of each answer, for the audit.
OF_RESIDENT = ("name", "phone", "id_number", "email", "address")
OF_LISTED = ("name", "phone", "id_number")
OF_HOUSEHOLD = ("door",)
OF_MEMBER = ("name", "household")
OF_CONTACT = ("name", "phone", "email")
OF_CLERK = ("name",)


def area(row: Any) -> dict[str, Any]:
    """A place with its position in the tree."""
    return {
        "code": row.code,
        "level": row.level,
        "name": row.name,
        "names": row.names,
        "parent": row.parent,
        "path": area_codes.path(row.code),
        "routing": area_codes.routing(row.code),
        "version": row.sequence,
    }


def department(row: Any) -> dict[str, Any]:
    """A department."""
    return {
        "code": row.code,
        "name": row.name,
        "names": row.names,
        "active": row.active,
        "version": row.sequence,
    }


def duty(row: Any) -> dict[str, Any]:
    """A duty; `to` is its last day, or null."""
    return {
        "id": str(row.id),
        "person": str(row.person),
        "role": row.role,
        "area": row.area,
        "department": row.department,
        "from": row.starts.isoformat(),
        "to": row.ends and row.ends.isoformat(),
        "version": row.sequence,
    }


def clerk(row: Any, key: DataKey | None) -> dict[str, Any]:
    """Somebody's duty as clerk of a department, with their name, masked; `row.id` is the person's,
    for their key.
    """
    return {
        "duty": str(row.duty),
        "person": str(row.id),
        "name": _shown(row, key, "name", masking.mask_name),
        "from": row.starts.isoformat(),
        "to": row.ends and row.ends.isoformat(),
    }


def resident(row: Any, key: DataKey | None) -> dict[str, Any]:
    """A person: name and address in full, the rest masked. Without a key (erased) nothing personal
    is left.
    """
    return {
        "id": str(row.id),
        "name": _shown(row, key, "name"),
        "phone": _shown(row, key, "phone", masking.mask_phone),
        "id_number": _shown(row, key, "id_number", masking.mask_id_number),
        "email": _shown(row, key, "email", masking.mask_email),
        "area": row.area,
        "address": _shown(row, key, "address"),
        "locale": row.locale,
        "registered_at": clock.iso(row.registered_at),
        "version": row.sequence,
    }


def listed_resident(row: Any, key: DataKey | None) -> dict[str, Any]:
    """A person among others: the name is masked too, and the address is left out."""
    return {
        "id": str(row.id),
        "name": _shown(row, key, "name", masking.mask_name),
        "phone": _shown(row, key, "phone", masking.mask_phone),
        "id_number": _shown(row, key, "id_number", masking.mask_id_number),
        "area": row.area,
        "registered_at": clock.iso(row.registered_at),
        "version": row.sequence,
    }


def household(
    row: Any, key: DataKey | None, *, head: UUID | None = None, anchor: bool = False
) -> dict[str, Any]:
    """A household, its `head`, and whether it is an `anchor`. Its door stands in lists too: it is
    what a list of doors is for, and no name stands beside it.
    """
    return {
        "id": str(row.id),
        "area": row.area,
        "grid": row.grid,
        "building": row.building,
        "door": _shown(row, key, "door"),
        "head": head and str(head),
        "anchor": anchor,
        "tenure": row.tenure,
        "from": row.starts.isoformat(),
        "to": row.ends and row.ends.isoformat(),
        "recorded_at": row.recorded_at and clock.iso(row.recorded_at),
        "version": row.sequence,
    }


def member(row: Any) -> dict[str, Any]:
    """Somebody's stay in a household; `to` is its last day, or null."""
    return {
        "id": str(row.id),
        "household": str(row.household),
        "resident": str(row.resident),
        "relation": row.relation,
        "registered": row.registered,
        "from": row.starts.isoformat(),
        "to": row.ends and row.ends.isoformat(),
    }


def listed_member(row: Any, key: DataKey | None) -> dict[str, Any]:
    """A stay among those of a household, with the person's name, masked; `row.id` is the person's,
    for their key.
    """
    return {**member(row.Member), "name": _shown(row, key, "name", masking.mask_name)}


def care_tag(row: Any, note: Personal | None) -> dict[str, Any]:
    """A person's care tag with its note; `to` is its last day, or null."""
    return {
        **listed_care_tag(row),
        "note": note and note.reveal(),
        "given_by": row.given_by,
        "ended_by": row.ended_by,
    }


def listed_care_tag(row: Any) -> dict[str, Any]:
    """A care tag among those of an area."""
    return {
        "id": str(row.id),
        "resident": str(row.resident),
        "tag": row.tag,
        "area": getattr(row, "area", None),
        "from": row.starts.isoformat(),
        "to": row.ends and row.ends.isoformat(),
    }


def contact(row: Any, key: DataKey | None) -> dict[str, Any]:
    """How to reach a person: the one answer with phone and e-mail address in plain text."""
    return {
        "id": str(row.id),
        "name": _shown(row, key, "name"),
        "phone": _shown(row, key, "phone"),
        "email": _shown(row, key, "email"),
        "locale": row.locale,
    }


def contact_before(row: Any, change: Any, key: DataKey | None) -> dict[str, Any]:
    """How to reach a person by the number before a change of it, None where that is kept no more;
    `changed_to` is the one since, masked.
    """
    before = None if change is None else _shown(change, key, "phone")
    since = _shown(row, key, "phone", masking.mask_phone)
    return {**contact(row, key), "phone": before, "changed_to": since}


def consent(row: Any) -> dict[str, Any]:
    """A consent; `given_to` and `withdrawn_to` are who wrote it down."""
    return {
        "id": str(row.id),
        "purpose": row.purpose,
        "names": PURPOSES[row.purpose],
        "given_at": clock.iso(row.given_at),
        "given_to": row.given_to,
        "withdrawn_at": row.withdrawn_at and clock.iso(row.withdrawn_at),
        "withdrawn_to": row.withdrawn_to,
    }


def exported(row: Any, key: DataKey | None) -> dict[str, Any]:
    """All that a person's own row says, in plain text."""
    return {
        **disclosed(row, key, SEALED),
        "id": str(row.id),
        "area": row.area,
        "locale": row.locale,
        "registered_at": clock.iso(row.registered_at),
        "erased_at": row.erased_at and clock.iso(row.erased_at),
    }


def disclosed(row: Any, key: DataKey | None, fields: Iterable[str]) -> dict[str, Any]:
    """These fields of a person, in plain text."""
    return {field: _shown(row, key, field) for field in fields}


def _shown(
    row: Any, key: DataKey | None, field: str, mask: Callable[[str], str] = str
) -> str | None:
    value = opened(row, key, field)
    return None if value is None else mask(value.reveal())
