"""Between rows and the vault: which columns are sealed, under which key, and how they are found."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from services.residents import identifiers
from services.residents.personal import Personal
from services.residents.vault import DataKey, Vault, WrappedKey

SEALED = ("name", "phone", "id_number", "email", "address")
# Numbers come normalised from the schemas; of a name, the spelling is kept and another one is
# looked for.
_FOUND_BY: dict[str, Callable[[str], str]] = {
    "phone": str,
    "id_number": str,
    "name": identifiers.name,
}
# All that holds something of a person: what is sealed, and what it is found by.
COLUMNS = (*SEALED, *(f"{field}_index" for field in _FOUND_BY))


def columns(vault: Vault, key: DataKey, values: Mapping[str, Personal | None]) -> dict[str, Any]:
    """The columns that hold `values`: each sealed, and its blind index where there is one; None
    clears both.
    """
    sealed = {field: value and key.seal(field, value) for field, value in values.items()}
    indexes = {
        f"{field}_index": value and index(vault, field, value)
        for field, value in values.items()
        if field in _FOUND_BY
    }
    return sealed | indexes


def index(vault: Vault, field: str, value: Personal) -> bytes:
    """The blind index under which `value` is found."""
    return vault.blind_index(field, _FOUND_BY[field](value.reveal()))


def door(vault: Vault, key: DataKey, area: str, value: Personal) -> dict[str, Any]:
    """The columns of a household that hold its door: sealed, and the blind index of the door in its
    area.
    """
    return {"door": key.seal("door", value), "door_index": door_index(vault, area, value)}


def door_index(vault: Vault, area: str, value: Personal) -> bytes:
    """The blind index under which a door in an area is found."""
    spelling = f"{area}\n{identifiers.name(value.reveal())}"
    return vault.blind_index("household_door", spelling)


def key_of(vault: Vault, person: UUID, key_id: str | None, wrapped: bytes | None) -> DataKey | None:
    """A person's data key, or None where there is none any more: the person was erased."""
    if key_id is None or wrapped is None:
        return None
    return vault.open_key(person, WrappedKey(key_id, bytes(wrapped)))


def key_of_household(vault: Vault, row: Any) -> DataKey:
    """The data key of a household's row."""
    return vault.open_key(row.id, WrappedKey(row.key_id, bytes(row.wrapped)), "households")


def opened(row: Any, key: DataKey | None, field: str) -> Personal | None:
    """One sealed field of a row, or None where nothing is recorded or left."""
    sealed = getattr(row, field)
    return None if key is None or sealed is None else key.open(field, bytes(sealed))
