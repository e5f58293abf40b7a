"""The services: what they say of themselves, whether keys open what they should, and how far the
feed is.
"""

from collections.abc import Iterator, Mapping

import requests
from sqlalchemy import text

from deploy import settings
from deploy.backfill import end_of_log
from deploy.doctor.findings import Finding, bad, judged, ok, warn

TIMEOUT = 5.0
SAMPLE = 20
"""Data keys of each kind that are tried."""
BEHIND = 10_000
"""Events of the log that the feed may lack."""


def readiness(service: str, environ: Mapping[str, str]) -> Iterator[Finding]:
    """What the service's /readyz says, where it is known where that is."""
    what = f"service {service}"
    if (url := _address(service, environ)) is None:
        hint = f"set LINLI_HEALTH_URL_{service.upper()} to its health port"
        yield warn(what, "not asked: nobody says where it is", hint)
        return
    with requests.Session() as session:
        session.trust_env = False
        body = session.get(f"{url}/readyz", timeout=TIMEOUT).json()
    failing = [f"{name} {said}" for name, said in body["checks"].items() if said != "ok"]
    says = f"{body['status']}{': ' if failing else ''}{', '.join(failing)}"
    yield judged(
        body["status"] == "ready", what, says, "docs/howto/operate.md says what each means"
    )


def keys(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the keys that are set are those that what is stored was sealed with."""
    from services.notifications.webhooks import resealing
    from services.residents import rotation

    tried, opened = rotation.opened(environ, SAMPLE)
    hint = "other keys were in use here before: find them, or nobody's data can be read"
    says = f"LINLI_MASTER_KEYS open {opened} of {tried} data keys that were tried"
    yield judged(opened == tried, "keys", says, hint)
    secrets = resealing.opened(environ)
    says = "LINLI_WEBHOOK_KEY opens {newest} secrets, an older one {older}, none {none}"
    hint = "is it the right key? their owners must renew those that none opens"
    yield judged(not secrets["none"], "keys", says.format(**secrets), hint)


def feed(environ: Mapping[str, str]) -> Iterator[Finding]:
    """How far the gateway's feed is behind the log."""
    with settings.broker(environ).connect() as connection:
        end = end_of_log(connection)
    url = settings.database("gateway", environ)
    with settings.connected(url, seconds=5) as connection:
        at = connection.scalar(text("SELECT log_offset FROM feed_state"))
    if end is None:
        yield ok("feed", "the log is empty")
        return
    behind = end - (-1 if at is None else int(at))
    says = f"{max(behind, 0)} events behind the log"
    hint = "does a gateway run, and is it connected to the broker (`events` of its /readyz)?"
    if behind < 0:
        yield bad("feed", "ahead of the log, which was made anew", hint)
    else:
        yield judged(behind <= BEHIND, "feed", says, hint)


def _address(service: str, environ: Mapping[str, str]) -> str | None:
    if url := environ.get(f"LINLI_HEALTH_URL_{service.upper()}"):
        return url.rstrip("/")
    if service == "gateway" and (url := environ.get("LINLI_URL")):
        return url.rstrip("/")
    port = environ.get(f"LINLI_HEALTH_PORT_{service.upper()}")
    return f"http://{environ.get('LINLI_HEALTH_HOST') or '127.0.0.1'}:{port}" if port else None
