"""What residents reads from the environment at start."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from chassis.settings import ServiceSettings, secret, setting
from services.residents.phone_changes import KEPT
from services.residents.vault import parse_key, parse_master_keys


def _hold(text: str) -> float:
    """Hours, and no more than it is known for that a number is new; raises ValueError."""
    hours = float(text)
    if not 0 <= hours <= KEPT / timedelta(hours=1):
        raise ValueError("not within what is kept")
    return hours


@dataclass(frozen=True, kw_only=True)
class ResidentsSettings(ServiceSettings):
    """Every service's settings, the keys that protect personal data, and how long a number that
    somebody else gave a person waits before it signs them in.
    """

    master_keys: Mapping[str, bytes] = secret("LINLI_MASTER_KEYS", parse_master_keys)
    blind_index_key: bytes = secret("LINLI_BLIND_INDEX_KEY", parse_key)
    phone_hold_hours: float = setting("LINLI_PHONE_HOLD_HOURS", 24.0, _hold)
