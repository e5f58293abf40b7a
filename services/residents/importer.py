"""The importer: works imports through, a batch of rows a transaction. A process of its own beside
the service's workers, so that a large file slows nobody down and a malicious one ends nothing else.
"""

import os
import signal
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from chassis import call as calls
from chassis import database, faultpoints, logs, trace, walls
from chassis.process import die_with_parent
from services.residents import audit, wall
from services.residents.imports import claims, files, spreadsheets, standing
from services.residents.imports.columns import Fault, Row, Unreadable
from services.residents.imports.kinds import KINDS
from services.residents.imports.models import Import
from services.residents.imports.rows import Taker
from services.residents.reach import Denied
from services.residents.settings import ResidentsSettings
from services.residents.vault import Vault

log = logs.get("importer")

BATCH = 100
# Rows that are read between renewals of the lease.
_RENEW = 1000
# Seconds.
_POLL, _AGAIN, _FORGET_EVERY = 0.5, 1.0, 60.0


class Importer:
    """Takes imports on, one at a time, until it is told to stop."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault
        self._stopping = False
        self._forgot = 0.0

    def stop(self, *_: Any) -> None:
        """Finish the batch at hand and return from `run`."""
        self._stopping = True

    def run(self) -> None:
        """Work, or look for work; a database that is away is waited for."""
        while not self._stopping:
            try:
                if not self.work():
                    time.sleep(_POLL)
            except SQLAlchemyError as error:
                if not database.is_infrastructure(error):
                    raise
                log.warning("importer_without_database", error=type(error).__name__)
                time.sleep(_AGAIN)

    def work(self) -> bool:
        """Take one import to its end, if there is one; whether there was."""
        self._forget_old()
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            job = claims.take(session)
        if job is None:
            return False
        log.info("import_taken", import_id=str(job.id), claim=job.claim, done=job.done)
        try:
            self._import(job)
        except claims.ClaimLost:
            log.warning("import_lost", import_id=str(job.id))
        return True

    def _import(self, job: Import) -> None:
        try:
            stopped = self._work_through(job)
        except Unreadable as unreadable:
            self._finish(job, unreadable.fault)
        except Denied as refusal:
            self._finish(job, Fault(0, "", refusal.code), refusal)
        else:
            self._give_back(job) if stopped else self._finish(job)

    def _work_through(self, job: Import) -> bool:
        """Take its rows, batch by batch; whether it was told to stop before the last."""
        kind = KINDS[job.kind]
        with Session(self._engine) as session:
            content = files.content(session, self._vault, job)
        if job.rows is None:
            found = self._holding(job, spreadsheets.rows(content, kind.columns))
            self._tell_rows(job, spreadsheets.count(found))
        taker = Taker(kind.rows(self._vault), kind.columns, job.dry_run)
        rows = self._holding(job, spreadsheets.rows(content, kind.columns))
        for row in islice(rows, job.done):
            taker.pass_over(row)
        for batch in _batches(rows):
            if self._stopping:
                return True
            self._take(job, taker, batch)
            faultpoints.reach("import.batch")
        return False

    def _holding(self, job: Import, rows: Iterator[Row]) -> Iterator[Row]:
        """The rows of a file, whose reading alone may take longer than the lease."""
        for number, row in enumerate(rows, start=1):
            if number % _RENEW == 0:
                with Session(self._engine) as session, session.begin():
                    claims.held(session, job)
            yield row

    def _tell_rows(self, job: Import, rows: int) -> None:
        with Session(self._engine) as session, session.begin():
            claims.held(session, job).rows = rows

    def _take(self, job: Import, taker: Taker, batch: Sequence[Row]) -> None:
        with Session(self._engine) as session, session.begin():
            current = claims.held(session, job)
            call = calls.decode(current.call)
            standing.demand(session, call, KINDS[job.kind])
            # What is done in somebody's name is done behind their wall.
            walls.tell(session, {"everything": "", **wall.settings(call)})
            told = {"linli.import": str(job.id)}
            with trace.span("import batch", trace.INTERNAL, call.traceparent, told) as span:
                rows = taker.take(session, call.under(span.traceparent), batch)
                claims.record(session, current, rows)

    def _finish(
        self, job: Import, fault: Fault | None = None, refusal: Denied | None = None
    ) -> None:
        with Session(self._engine) as session, session.begin():
            current = claims.held(session, job)
            if refusal is not None:
                audit.refused(session, calls.decode(current.call), refusal)
            claims.finish(session, current, fault)
            log.info("import_finished", import_id=str(job.id), state=current.state)

    def _give_back(self, job: Import) -> None:
        with Session(self._engine) as session, session.begin():
            claims.give_back(session, job)

    def _forget_old(self) -> None:
        if time.monotonic() - self._forgot > _FORGET_EVERY:
            with Session(self._engine) as session, session.begin():
                claims.forget_old(session)
            self._forgot = time.monotonic()


def _batches(rows: Iterator[Row]) -> Iterator[Sequence[Row]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def main(service: str, parent: int) -> None:
    """Run the importer until SIGTERM, or until the runner that started it ends."""
    die_with_parent(parent)
    # What openpyxl remarks on in strangers' files is no news.
    warnings.filterwarnings("ignore", module="openpyxl")
    settings = ResidentsSettings.load(service)
    logs.configure(f"{service}-importer", settings.log_level)
    trace.begin(f"{service}-importer", settings)
    vault = Vault(settings.master_keys, settings.blind_index_key)
    engine = database.make_engine(settings, pool_size=1, seen=walls.EVERYTHING)
    importer = Importer(engine, vault)
    signal.signal(signal.SIGTERM, importer.stop)
    signal.signal(signal.SIGINT, importer.stop)
    # What nobody foresaw ends the process: the import is tried again a few times, then given up.
    sys.excepthook = lambda *error: log.error("importer_failed", exc_info=error)
    log.info("importer_started", pid=os.getpid())
    importer.run()
    trace.end()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
