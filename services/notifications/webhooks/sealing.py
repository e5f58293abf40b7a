"""Secrets as they are stored: AES-256-GCM (NIST SP 800-38D), bound to their endpoint."""

import base64
import binascii
import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES, _KEY_BYTES = 12, 32


class SealBroken(Exception):
    """What was sealed was altered, is another endpoint's, or was sealed under a key that is not
    here.
    """


class Seal:
    """Seals under one key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def close(self, endpoint: UUID, secret: str) -> bytes:
        """The secret, sealed."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, secret.encode(), endpoint.bytes)

    def open(self, endpoint: UUID, sealed: bytes) -> str:
        """The secret; raises SealBroken."""
        nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._aead.decrypt(nonce, text, endpoint.bytes).decode()
        except (InvalidTag, ValueError) as error:  # a ValueError: it was cut short
            raise SealBroken from error


def parse_key(text: str) -> bytes:
    """32 bytes in base64; raises ValueError."""
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    if len(key) != _KEY_BYTES:
        raise ValueError(f"not {_KEY_BYTES} bytes")
    return key
