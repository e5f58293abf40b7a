"""Secrets and signatures after Standard Webhooks 1.0, by its own package. Pure.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

SECRET_BYTES = 32
"""The standard asks for 24 to 64."""


def new_secret() -> str:
    """A secret as receivers know it: `whsec_` and base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers(message: str, at: datetime, body: str, live: Sequence[str]) -> dict[str, str]:
    """The three headers of an attempt at `at` (aware), with a signature for each live secret."""
    # The package takes the wall clock of any other zone for UTC's.
    moment = at.astimezone(UTC)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(
            Webhook(secret).sign(message, moment, body) for secret in live
        ),
    }
