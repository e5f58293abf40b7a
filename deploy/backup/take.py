"""Taking a backup, and looking whether one is whole."""

import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from chassis.clock import iso
from deploy import settings
from deploy.backup import departments, dump, log
from deploy.backup.cut import Cut, cut
from deploy.backup.manifest import Database, File, Manifest, fingerprints
from deploy.backup.programs import Programs
from deploy.commands import Refused
from deploy.databases import SERVICES

Tell = Callable[[str], None]


def take(folder: Path, environ: Mapping[str, str], tell: Tell) -> Manifest:
    """Back everything up into `folder`, which must not exist and appears only when it is whole;
    `tell` hears what is going on. Raises Refused, SettingMissing, OperationalError.
    """
    if folder.exists():
        raise Refused(f"{folder} is there already; each backup is a folder of its own")
    keys = fingerprints(environ)
    draft = folder.with_name(f"{folder.name}.partial")
    draft.mkdir(mode=0o700, parents=True)
    try:
        manifest = _take(draft, environ, keys, tell)
        manifest.write(draft)
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return manifest


def verify(folder: Path, environ: Mapping[str, str]) -> Manifest:
    """The manifest of a backup of which every file is what was written and can be read; raises
    Damaged, ProgramFailed.
    """
    manifest = Manifest.read(folder)
    for database in manifest.databases.values():
        dump.check_readable(Programs(environ), folder, database)
    if (found := sum(1 for _ in log.saved(folder / manifest.log.name))) != manifest.events:
        raise Refused(f"{manifest.log.name} has {found} events, not {manifest.events}")
    return manifest


def _take(folder: Path, environ: Mapping[str, str], keys: dict[str, str], tell: Tell) -> Manifest:
    broker, programs = settings.broker(environ), Programs(environ)
    urls = {name: settings.database(name, environ, owner=True) for name in SERVICES}
    for url in urls.values():
        _check(url, programs)
    departments.write(folder / departments.NAME, departments.look(broker))
    with broker.connect() as connection:
        mark = log.Mark(connection.channel())
        with cut(urls, mark.put) as made:
            tell(f"the cut is made; writers waited {made.pause_ms} ms")
            databases = _dumped(folder, urls, made, programs)
    tell("the databases are written; now the event log")
    events = log.save(broker, mark.body, folder / log.NAME)
    return Manifest(
        taken_at=iso(made.at),
        pause_ms=made.pause_ms,
        databases=databases,
        log=File.of(folder / log.NAME),
        events=events,
        departments=File.of(folder / departments.NAME),
        keys=keys,
    )


def _check(url: str, programs: Programs) -> None:
    """Before anybody is made to wait: can this database be dumped, and by this account?"""
    with settings.connected(url) as connection:
        programs.check(dump.server_version(connection))
        if not dump.is_owner(connection):
            raise Refused(
                f"{connection.engine.url.username} owns no tables and does not see all rows:"
                " set LINLI_DATABASE_OWNER_URL_<SERVICE>"
            )


def _dumped(
    folder: Path, urls: Mapping[str, str], made: Cut, programs: Programs
) -> dict[str, Database]:
    """All databases at once, so that the snapshots are held no longer than must be."""

    def dumped(service: str) -> Database:
        seen = made.connections[service], made.snapshots[service]
        return dump.dump(programs, folder, service, urls[service], seen)

    with ThreadPoolExecutor(len(urls)) as pool:
        return dict(zip(urls, pool.map(dumped, urls), strict=True))
