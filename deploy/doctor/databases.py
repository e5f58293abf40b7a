"""The databases: reachable, migrated, walled, silent about people, with room and the right time."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, make_url, text

from chassis import migrate
from deploy import outboxes, settings
from deploy.databases import PRIVATE_LOG, SERVICES
from deploy.doctor.findings import Finding, bad, judged, ok, warn

POOLS = {"gateway": 64}
_POOL = 10
_BESIDE = 12
"""Connections of a process beside its pool, roundly: relay, wake-up, health, the gateway's feed."""
FULL = 0.8
CLOCK_WARN, CLOCK_BAD = 1.0, 30.0
"""Seconds."""

_ROLE = text(
    "SELECT rolsuper, rolbypassrls, EXISTS (SELECT FROM pg_tables"
    " WHERE schemaname = 'public' AND tableowner = current_user) AS owns"
    " FROM pg_roles WHERE rolname = current_user"
)
_LOG = text("SELECT name, setting FROM pg_settings WHERE name = ANY(:names)")
_ROOM = text(
    "SELECT current_setting('max_connections')::int AS most,"
    " current_setting('superuser_reserved_connections')::int AS reserved,"
    " (SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL) AS used,"
    " pg_size_pretty(sum(pg_database_size(oid))) AS size FROM pg_database"
    " WHERE has_database_privilege(oid, 'CONNECT')"
)


def database(service: str, environ: Mapping[str, str]) -> Iterator[Finding]:
    """One service's own."""
    what, url = f"database {service}", settings.database(service, environ)
    with settings.connected(url, seconds=5) as connection:
        yield ok(what, f"answers, PostgreSQL {connection.scalar(text('SHOW server_version'))}")
        yield _migrations(service, url)
        yield _role(what, connection)
        if service == "residents":
            yield _extension(what, connection)


def server(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Each PostgreSQL that has a database of ours, once."""
    urls = {name: settings.database(name, environ) for name in SERVICES}
    servers: dict[str, list[str]] = {}
    for name, url in urls.items():
        parts = make_url(url)
        servers.setdefault(f"{parts.host}:{parts.port or 5432}", []).append(name)
    for where, services in servers.items():
        with settings.connected(urls[services[0]], seconds=5) as connection:
            what = f"PostgreSQL {where}"
            yield _log(what, connection)
            yield _room(what, connection, services, environ)
            yield _clock(what, connection)


def outbox(environ: Mapping[str, str]) -> Iterator[Finding]:
    """What waits for the relays."""
    for each in outboxes.look(environ):
        hint = "`linli outbox status` says more; without a relay nobody is told anything"
        yield judged(each.well(30), "outbox", str(each), hint)


def _migrations(service: str, url: str) -> Finding:
    package = f"services.{service}"
    lacking = migrate.behind(package, settings.engine(url))
    says = "migrations are missing" if lacking else "all migrations ran"
    return judged(not lacking, f"database {service}", says, f"python -m chassis.migrate {package}")


def _role(what: str, connection: Connection) -> Finding:
    role = connection.execute(_ROLE).one()
    if role.rolsuper or role.rolbypassrls:
        hint = (
            "give the service a role of its own: the walls around people do not hold for this one"
        )
        return bad(what, "its account is a superuser or passes row-level security", hint)
    if role.owns:
        hint = "make the tables with an owner's account (LINLI_DATABASE_OWNER_URL_<SERVICE>)"
        return bad(what, "its account owns the tables: no row-level security holds for it", hint)
    return ok(what, "its account owns nothing and passes no wall")


def _extension(what: str, connection: Connection) -> Finding:
    there = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'btree_gist')"
    hint = "install postgresql-contrib, then migrate"
    return judged(bool(connection.scalar(text(there))), what, "extension btree_gist", hint)


def _log(what: str, connection: Connection) -> Finding:
    rows = connection.execute(_LOG, {"names": list(PRIVATE_LOG)})
    held = {row.name: row.setting for row in rows}
    wrong = [f"{name} = {value}" for name, value in PRIVATE_LOG.items() if held.get(name) != value]
    says = "its log repeats no values" if not wrong else "its log may hold what people wrote"
    return judged(not wrong, what, says, f"in postgresql.conf: {'; '.join(wrong)}")


def _room(
    what: str, connection: Connection, services: list[str], environ: Mapping[str, str]
) -> Finding:
    room = connection.execute(_ROOM).one()
    for_all = room.most - room.reserved
    pools = sum(_pool(name, environ) + _BESIDE for name in services)
    says = (
        f"{room.used} of {for_all} connections in use, one replica of each of its services takes"
        f" up to {pools}; databases of {room.size}"
    )
    if room.used > FULL * for_all or pools > for_all:
        return warn(what, says, "raise max_connections, or lower LINLI_WORKERS_<SERVICE>")
    return ok(what, says)


def _pool(service: str, environ: Mapping[str, str]) -> int:
    return int(environ.get(f"LINLI_WORKERS_{service.upper()}") or POOLS.get(service, _POOL))


def _clock(what: str, connection: Connection) -> Finding:
    begun, asked = time.monotonic(), datetime.now(UTC)
    theirs = connection.scalar(text("SELECT clock_timestamp()"))
    took = time.monotonic() - begun
    apart = abs((theirs - asked).total_seconds() - took / 2) if theirs else 0.0
    says = f"its clock is {apart:.1f} s from ours"
    if apart < CLOCK_WARN + took:
        return ok(what, says)
    hint = "let one time service (chrony) set the clocks of all machines"
    return bad(what, says, hint) if apart > CLOCK_BAD else warn(what, says, hint)
