"""What residents reads from the environment at start."""

from collections.abc import Mapping
from dataclasses import dataclass

from chassis.settings import ServiceSettings, secret
from services.residents.vault import parse_key, parse_master_keys


@dataclass(frozen=True, kw_only=True)
class ResidentsSettings(ServiceSettings):
    """Every service's settings, and the keys that protect personal data."""

    master_keys: Mapping[str, bytes] = secret("LINLI_MASTER_KEYS", parse_master_keys)
    blind_index_key: bytes = secret("LINLI_BLIND_INDEX_KEY", parse_key)
