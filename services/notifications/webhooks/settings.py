"""What webhooks need to know, put together from the service's settings."""

from dataclasses import dataclass, field
from datetime import timedelta

from services.notifications.webhooks.addresses import Networks
from services.notifications.webhooks.claims import Terms
from services.notifications.webhooks.records import Patience


@dataclass(frozen=True, kw_only=True)
class WebhookSettings:
    """Times are in seconds. `slots`: requests at a time from one process, `terms` how many of
    them to one endpoint from all together; `overlap`: how long an older secret goes on signing.
    """

    key: bytes = field(repr=False)
    networks: Networks
    ca_file: str | None
    origin: str
    timeout: float
    slots: int
    terms: Terms
    patience: Patience
    overlap: timedelta
