"""What notifications reads from the environment, once, at start. Times are in seconds."""

from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path

from chassis.settings import SettingsError, hidden, secret, setting
from services.notifications.mail import TLS_MODES, MailServer
from services.notifications.outcome import Schedules
from services.notifications.pruning import Kept
from services.notifications.quiet import DEFAULT_QUIET, Quiet, parse_quiet
from services.notifications.schedule import Schedule, parse_delays
from services.notifications.staleness import Limits
from services.notifications.webhooks.addresses import Network, parse_networks
from services.notifications.webhooks.claims import Terms
from services.notifications.webhooks.records import Patience
from services.notifications.webhooks.settings import KeySettings, WebhookSettings


def _tls_mode(text: str) -> str:
    if text not in TLS_MODES:
        raise ValueError(f"one of {', '.join(TLS_MODES)}")
    return text


def _from_file(path: str) -> str:
    """What a file says, for secrets that others must not see in the environment."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        raise ValueError("the file cannot be read") from None


def _sender(text: str) -> str:
    if "@" not in parseaddr(text)[1]:
        raise ValueError("not an address such as Linli <linli@example.org>")
    return text


@dataclass(frozen=True, kw_only=True)
class NotificationsSettings(KeySettings):
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
    smtp_host: str | None = setting("LINLI_SMTP_HOST", None)
    smtp_port: int = setting("LINLI_SMTP_PORT", 587, int)
    smtp_tls: str = setting("LINLI_SMTP_TLS", "starttls", _tls_mode)
    smtp_user: str | None = setting("LINLI_SMTP_USER", None)
    smtp_password: str | None = hidden("LINLI_SMTP_PASSWORD_FILE", _from_file)
    smtp_from: str = setting("LINLI_SMTP_FROM", "linli@localhost.localdomain", _sender)
    smtp_timeout: float = setting("LINLI_SMTP_TIMEOUT", 5.0, float)
    contact_timeout: float = setting("LINLI_CONTACT_TIMEOUT", 2.0, float)
    contact_retries: tuple[float, ...] = setting(
        "LINLI_CONTACT_RETRIES", parse_delays("2s 5s 15s 30s"), parse_delays
    )
    quiet_hours: Quiet | None = setting(  # noqa: RUF009 - it declares a field
        "LINLI_QUIET_HOURS", DEFAULT_QUIET, parse_quiet
    )
    lease: float = setting("LINLI_DELIVERY_LEASE", 30.0, float)
    batch: int = setting("LINLI_DELIVERY_BATCH", 8, int)
    poll: float = setting("LINLI_DELIVERY_POLL", 1.0, float)
    news_fresh_for: float = setting("LINLI_NEWS_FRESH_FOR", 60.0, float)
    news_expires_after: float = setting("LINLI_NEWS_EXPIRES_AFTER", 3 * 86400.0, float)
    # Days.
    keep_deliveries: float = setting("LINLI_KEEP_DELIVERIES", 90.0, float)
    keep_notifications: float = setting("LINLI_KEEP_INBOX", 365.0, float)
    webhook_networks: tuple[Network, ...] = setting(
        "LINLI_WEBHOOK_ALLOWED_NETWORKS", (), parse_networks
    )
    webhook_ca_file: str | None = setting("LINLI_WEBHOOK_CA_FILE", None)
    webhook_origin: str = setting("LINLI_WEBHOOK_ORIGIN", "linli")
    webhook_retries: tuple[float, ...] = setting(
        "LINLI_WEBHOOK_RETRIES", parse_delays("5s 5m 30m 2h 5h 10h 10h"), parse_delays
    )
    webhook_timeout: float = setting("LINLI_WEBHOOK_TIMEOUT", 15.0, float)
    webhook_lease: float = setting("LINLI_WEBHOOK_LEASE", 30.0, float)
    webhook_slots: int = setting("LINLI_WEBHOOK_SLOTS", 200, int)
    webhook_at_once: int = setting("LINLI_WEBHOOK_AT_ONCE", 8, int)
    # Days, but for the overlap of secrets: hours.
    webhook_patience: float = setting("LINLI_WEBHOOK_PATIENCE", 5.0, float)
    webhook_overlap: float = setting("LINLI_WEBHOOK_SECRET_OVERLAP", 24.0, float)
    keep_webhooks: float = setting("LINLI_KEEP_WEBHOOKS", 30.0, float)

    def __post_init__(self) -> None:
        # What is left of the lease once an attempt is over is for its record, and for replicas
        # whose clocks differ: one that is ahead would send again what another still has in hand.
        if self.webhook_lease < 2 * self.webhook_timeout:
            raise SettingsError(
                "LINLI_WEBHOOK_LEASE must be at least twice LINLI_WEBHOOK_TIMEOUT "
                f"({self.webhook_lease:g} < 2 * {self.webhook_timeout:g})"
            )

    @property
    def webhooks(self) -> WebhookSettings:
        """What webhooks need of it."""
        return WebhookSettings(
            keys=self.webhook_keys,
            networks=self.webhook_networks,
            ca_file=self.webhook_ca_file,
            origin=self.webhook_origin,
            timeout=self.webhook_timeout,
            slots=self.webhook_slots,
            terms=Terms(timedelta(seconds=self.webhook_lease), self.webhook_at_once),
            patience=Patience(
                Schedule(self.webhook_retries), timedelta(days=self.webhook_patience)
            ),
            overlap=timedelta(hours=self.webhook_overlap),
        )

    @property
    def mail_server(self) -> MailServer | None:
        """Where mail is handed over; None when none is named, and then no mail is sent."""
        if not self.smtp_host:
            return None
        return MailServer(
            host=self.smtp_host,
            port=self.smtp_port,
            tls=self.smtp_tls,
            sender=self.smtp_from,
            timeout=self.smtp_timeout,
            user=self.smtp_user,
            password=self.smtp_password,
        )

    @property
    def kept(self) -> Kept:
        """How long what is kept."""
        return Kept(
            deliveries=timedelta(days=self.keep_deliveries),
            notifications=timedelta(days=self.keep_notifications),
            webhooks=timedelta(days=self.keep_webhooks),
        )

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
    def longest_attempt(self) -> float:
        """Seconds after which an attempt is over, whichever provider drips."""
        return max(self.sms_timeout, self.smtp_timeout)

    @property
    def limits(self) -> Limits:
        """How old news may be."""
        return Limits(
            fresh_for=timedelta(seconds=self.news_fresh_for),
            expires_after=timedelta(seconds=self.news_expires_after),
        )
