"""What the gateway is told by its environment."""

import base64
from dataclasses import dataclass

from chassis.settings import ServiceSettings, secret, setting


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _secret_bytes(text: str) -> bytes:
    """The bytes of base64, or of any other text of at least 32 characters."""
    if len(text) < 32:
        raise ValueError("too short")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return text.encode()


@dataclass(frozen=True, kw_only=True)
class GatewaySettings(ServiceSettings):
    """Rates read as `<count>/<period>`, such as `600/minute`, and hold per replica; times are in
    seconds unless their name says otherwise.
    """

    http_port: int = setting("LINLI_HTTP_PORT", 8000, int)
    http_host: str = setting("LINLI_HTTP_HOST", "127.0.0.1")
    workers: int = setting("LINLI_WORKERS_GATEWAY", 64, int)
    secret: bytes = secret("LINLI_SECRET", _secret_bytes)
    cors_origins: tuple[str, ...] = setting("LINLI_CORS_ORIGINS", (), _names)
    proxies: int = setting("LINLI_TRUSTED_PROXIES", 0, int)
    drain: float = setting("LINLI_DRAIN_SECONDS", 0.0, float)
    rate_signed_in: str = setting("LINLI_RATE_SIGNED_IN", "6000/minute")
    rate_import: str = setting("LINLI_RATE_IMPORT", "60000/minute")
    rate_anonymous: str = setting("LINLI_RATE_ANONYMOUS", "1200/minute")
    rate_anonymous_filing: str = setting("LINLI_RATE_ANONYMOUS_FILING", "60/minute")
    rate_anonymous_phone: str = setting("LINLI_RATE_ANONYMOUS_PHONE", "10/hour")
    rate_sign_in: str = setting("LINLI_RATE_SIGN_IN", "600/minute")
    rate_codes: str = setting("LINLI_RATE_CODES", "60/minute")
    rate_disclosures: str = setting("LINLI_RATE_DISCLOSURES", "60/hour")
    codes_per_phone: int = setting("LINLI_CODES_PER_PHONE", 10, int)
    session_hours: int = setting("LINLI_SESSION_HOURS", 720, int)
    staff_session_hours: int = setting("LINLI_STAFF_SESSION_HOURS", 12, int)
    feed_days: int = setting("LINLI_FEED_DAYS", 30, int)
    feed_ring: int = setting("LINLI_FEED_RING", 10_000, int)
    api_contact: str = setting(
        "LINLI_API_CONTACT", "请联系本地社区 / Ask the community that runs this"
    )
    call_deadline: float = setting("LINLI_CALL_DEADLINE", 2.0, float)

    def rates(self) -> dict[str, str]:
        """The rate of each policy of `limits.RateLimits`."""
        return {
            "signed_in": self.rate_signed_in,
            "import": self.rate_import,
            "anonymous": self.rate_anonymous,
            "anonymous_filing": self.rate_anonymous_filing,
            "anonymous_phone": self.rate_anonymous_phone,
            "sign_in": self.rate_sign_in,
            "codes": self.rate_codes,
            "disclosures": self.rate_disclosures,
        }
