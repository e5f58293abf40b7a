"""Field encryption: a data key for each person or household, wrapped by a master key; keyed blind
indexes to find what is sealed.

AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces. A sealed field is bound to its table,
person and name, a wrapped key to its person and master key, so that bytes moved to another row or
column do not open. Dropping a person's wrapped key erases them.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.residents.personal import Personal

_KEY_BYTES = 32
_NONCE_BYTES = 12
# The first byte of everything sealed, so that another scheme can follow without guessing.
_VERSION = b"\x01"
RESIDENTS = "residents"
_KEY_ID = re.compile(r"[a-z0-9_-]{1,32}")


class SealBroken(Exception):
    """A sealed value was altered, moved to another row or field, or sealed under a key that is not
    here.
    """


@dataclass(frozen=True)
class WrappedKey:
    """A data key as it is stored: sealed under the master key that `key_id` names."""

    key_id: str
    wrapped: bytes


class DataKey:
    """The key of one person, or of another row that is sealed: seals and opens its fields."""

    __slots__ = ("_aead", "_row", "_table")

    def __init__(self, row: UUID, key: bytes, table: str = RESIDENTS) -> None:
        self._row = row
        self._table = table
        self._aead = AESGCM(key)

    def seal(self, field: str, value: Personal) -> bytes:
        """The value encrypted for this row's `field`, different each time."""
        return _seal(self._aead, value.reveal().encode(), self._context(field))

    def open(self, field: str, sealed: bytes) -> Personal:
        """What `seal` was given; raises SealBroken when the bytes are not this row's `field`."""
        return Personal(_open(self._aead, sealed, self._context(field)).decode())

    def _context(self, field: str) -> bytes:
        return _context("field", self._table, str(self._row), field)


class FileKey:
    """The key of one file: seals and opens its parts, each in its place."""

    __slots__ = ("_aead", "_file")

    def __init__(self, file: UUID, key: bytes) -> None:
        self._file = file
        self._aead = AESGCM(key)

    def seal(self, part: int, content: bytes) -> bytes:
        """The part with this number, encrypted."""
        return _seal(self._aead, content, self._context(part))

    def open(self, part: int, sealed: bytes) -> bytes:
        """What `seal` was given; raises SealBroken when the bytes are not this file's part."""
        return _open(self._aead, sealed, self._context(part))

    def _context(self, part: int) -> bytes:
        return _context("part", str(self._file), str(part))


class Vault:
    """Holds the master keys and the index key. `master_keys` is in order of age: the last one
    wraps, all unwrap.
    """

    def __init__(self, master_keys: Mapping[str, bytes], index_key: bytes) -> None:
        self._masters = {key_id: AESGCM(key) for key_id, key in master_keys.items()}
        self._current = list(master_keys)[-1]
        self._index_key = index_key

    def new_key(self, row: UUID, table: str = RESIDENTS) -> tuple[WrappedKey, DataKey]:
        """A fresh data key for a person or another row: wrapped, to store, and open, to use."""
        wrapped, key = self._new("data-key", row)
        return wrapped, DataKey(row, key, table)

    def open_key(self, row: UUID, stored: WrappedKey, table: str = RESIDENTS) -> DataKey:
        """The data key of a row; raises SealBroken when it is another's or its master key is not
        here.
        """
        return DataKey(row, self._unwrap("data-key", row, stored), table)

    def new_file_key(self, file: UUID) -> WrappedKey:
        """A fresh key for a file, wrapped, to store."""
        return self._new("file-key", file)[0]

    def open_file_key(self, file: UUID, stored: WrappedKey) -> FileKey:
        """The key of a file; raises SealBroken, as `open_key` does."""
        return FileKey(file, self._unwrap("file-key", file, stored))

    @property
    def outdated(self) -> tuple[str, ...]:
        """The ids of the master keys that still unwrap and no longer wrap."""
        return tuple(key_id for key_id in self._masters if key_id != self._current)

    def rewrap(self, purpose: str, owner: UUID, stored: WrappedKey) -> WrappedKey:
        """The same key under the newest master key, for rows that keep a key for `purpose`
        (`data-key`, `file-key`); raises SealBroken. What it sealed stays as it is.
        """
        return self._wrap(purpose, owner, self._unwrap(purpose, owner, stored))

    def blind_index(self, field: str, normalised: str) -> bytes:
        """What equal values of one field have in common: HMAC-SHA-256, 32 bytes, useless without
        the key.
        """
        message = _context("blind-index", RESIDENTS, field, normalised)
        return hmac.new(self._index_key, message, hashlib.sha256).digest()

    def _new(self, purpose: str, owner: UUID) -> tuple[WrappedKey, bytes]:
        key = AESGCM.generate_key(_KEY_BYTES * 8)
        return self._wrap(purpose, owner, key), key

    def _wrap(self, purpose: str, owner: UUID, key: bytes) -> WrappedKey:
        context = _context(purpose, self._current, str(owner))
        return WrappedKey(self._current, _seal(self._masters[self._current], key, context))

    def _unwrap(self, purpose: str, owner: UUID, stored: WrappedKey) -> bytes:
        master = self._masters.get(stored.key_id)
        if master is None:
            raise SealBroken
        return _open(master, stored.wrapped, _context(purpose, stored.key_id, str(owner)))


def parse_master_keys(text: str) -> dict[str, bytes]:
    """`k1:<base64 of 32 bytes>[,k2:…]` as a dict in the same order; raises ValueError, which does
    not repeat the text.
    """
    keys: dict[str, bytes] = {}
    for entry in text.split(","):
        key_id, _, encoded = entry.strip().partition(":")
        if not _KEY_ID.fullmatch(key_id) or key_id in keys:
            raise ValueError("each master key needs an id of its own, as in k1:<base64>")
        keys[key_id] = parse_key(encoded)
    return keys


def parse_key(text: str) -> bytes:
    """32 bytes from base64; raises ValueError, which does not repeat the text."""
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("a key is not base64") from None
    if len(key) != _KEY_BYTES:
        raise ValueError(f"a key is not {_KEY_BYTES} bytes long")
    return key


def _context(*parts: str) -> bytes:
    """Length-prefixed, so that no two lists of parts give the same bytes."""
    encoded = [part.encode() for part in ("linli/v1", *parts)]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def _seal(aead: AESGCM, plain: bytes, context: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + nonce + aead.encrypt(nonce, plain, context)


def _open(aead: AESGCM, sealed: bytes, context: bytes) -> bytes:
    start = len(_VERSION) + _NONCE_BYTES
    if sealed[:1] != _VERSION or len(sealed) < start:
        raise SealBroken
    try:
        return aead.decrypt(sealed[1:start], sealed[start:], context)
    except InvalidTag:
        raise SealBroken from None
