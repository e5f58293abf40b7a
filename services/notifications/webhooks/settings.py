"""What webhooks need to know, put together from the service's settings."""

from dataclasses import dataclass, field
from datetime import timedelta

from chassis.settings import ServiceSettings, secret
from services.notifications.webhooks.addresses import Networks
from services.notifications.webhooks.claims import Terms
from services.notifications.webhooks.records import Patience
from services.notifications.webhooks.sealing import parse_keys


@dataclass(frozen=True, kw_only=True)
class KeySettings(ServiceSettings):
    """What it takes to open what is sealed: the newest key, which seals, is the last."""

    webhook_keys: tuple[bytes, ...] = secret("LINLI_WEBHOOK_KEY", parse_keys)


@dataclass(frozen=True, kw_only=True)
class WebhookSettings:
    """Times are in seconds. `slots`: requests at a time from one process, `terms` how many of
    them to one endpoint from all together; `overlap`: how long an older secret goes on signing.
    """

    keys: tuple[bytes, ...] = field(repr=False)
    networks: Networks
    ca_file: str | None
    origin: str
    timeout: float
    slots: int
    terms: Terms
    patience: Patience
    overlap: timedelta
