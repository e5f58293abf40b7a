"""What notifications reads from the environment, once, at start. Times are in seconds."""

from dataclasses import dataclass
from datetime import timedelta

from chassis.settings import ServiceSettings, secret, setting
from services.notifications.outcome import Schedules
from services.notifications.schedule import Schedule, parse_delays
from services.notifications.staleness import Limits


@dataclass(frozen=True, kw_only=True)
class NotificationsSettings(ServiceSettings):
    """Where messages go, how patiently, and for how long news is news.

    `sms_url` is the address that messages are posted to. A round of `batch` deliveries must end
    within `lease`, and within the grace period when the service stops.
    """

    sms_url: str = setting("LINLI_SMS_URL")
    sms_token: str = secret("LINLI_SMS_TOKEN")
    sms_timeout: float = setting("LINLI_SMS_TIMEOUT", 5.0, float)
    sms_code_timeout: float = setting("LINLI_SMS_CODE_TIMEOUT", 1.5, float)
    sms_retries: tuple[float, ...] = setting(
        "LINLI_SMS_RETRIES", parse_delays("5s 30s 2m 10m 1h 3h 6h"), parse_delays
    )
    contact_timeout: float = setting("LINLI_CONTACT_TIMEOUT", 2.0, float)
    contact_retries: tuple[float, ...] = setting(
        "LINLI_CONTACT_RETRIES", parse_delays("2s 5s 15s 30s 1m 5m"), parse_delays
    )
    lease: float = setting("LINLI_DELIVERY_LEASE", 30.0, float)
    batch: int = setting("LINLI_DELIVERY_BATCH", 8, int)
    poll: float = setting("LINLI_DELIVERY_POLL", 1.0, float)
    news_fresh_for: float = setting("LINLI_NEWS_FRESH_FOR", 60.0, float)
    news_expires_after: float = setting("LINLI_NEWS_EXPIRES_AFTER", 3 * 86400.0, float)

    @property
    def lease_time(self) -> timedelta:
        """How long a worker has what it took."""
        return timedelta(seconds=self.lease)

    @property
    def schedules(self) -> Schedules:
        """The retry schedules: a provider is given up in the end, residents never is."""
        return Schedules(
            provider=Schedule(self.sms_retries),
            waiting=Schedule(self.contact_retries, endless=True),
            # A message at whose sight twenty workers died is itself the trouble.
            lost=Schedule((1.0,) * 20),
        )

    @property
    def limits(self) -> Limits:
        """How old news may be."""
        return Limits(
            fresh_for=timedelta(seconds=self.news_fresh_for),
            expires_after=timedelta(seconds=self.news_expires_after),
        )
