"""Secrets as they are stored: AES-256-GCM (NIST SP 800-38D), bound to their endpoint."""

import base64
import binascii
import os
from contextlib import suppress
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES, _KEY_BYTES = 12, 32


class SealBroken(Exception):
    """What was sealed was altered, is another endpoint's, or was sealed under a key that is not
    here.
    """


class Seal:
    """Seals under the last of some keys of 32 bytes each; opens what any of them sealed."""

    def __init__(self, *keys: bytes) -> None:
        self._newest_first = [AESGCM(key) for key in reversed(keys)]

    def close(self, endpoint: UUID, secret: str) -> bytes:
        """The secret, sealed."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._newest_first[0].encrypt(nonce, secret.encode(), endpoint.bytes)

    def open(self, endpoint: UUID, sealed: bytes) -> str:
        """The secret; raises SealBroken."""
        nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        for aead in self._newest_first:
            # A ValueError: it was cut short.
            with suppress(InvalidTag, ValueError):
                return aead.decrypt(nonce, text, endpoint.bytes).decode()
        raise SealBroken


def parse_keys(text: str) -> tuple[bytes, ...]:
    """Keys of 32 bytes in base64, separated by commas, the newest last; raises ValueError."""
    return tuple(_key(each.strip()) for each in text.split(","))


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    if len(key) != _KEY_BYTES:
        raise ValueError(f"not {_KEY_BYTES} bytes")
    return key
