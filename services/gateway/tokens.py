"""Tokens, one-time codes and the digests by which they are found again."""

import hashlib
import hmac
import secrets

SESSION_PREFIX = "lls_"
API_KEY_PREFIX = "llk_"


def new_token(prefix: str) -> str:
    """A bearer token of 256 random bits; the prefix tells sessions from keys, also to secret
    scanners.
    """
    return prefix + secrets.token_urlsafe(32)


def token_digest(token: str) -> bytes:
    """What is kept of a token. So much randomness needs neither key nor salt."""
    return hashlib.sha256(token.encode()).digest()


def new_code() -> str:
    """Six random digits."""
    return f"{secrets.randbelow(1_000_000):06d}"


def keyed_digest(secret: bytes, purpose: str, *parts: str) -> bytes:
    """What is kept of something guessable, such as a phone: useless without the secret."""
    message = "\n".join((purpose, *parts))
    return hmac.digest(secret, message.encode(), "sha256")
