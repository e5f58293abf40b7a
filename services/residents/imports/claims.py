"""Who works on which import: a claim with a lease, and progress that counts only under the claim.

Whoever holds none looks for the oldest unfinished import that nobody has. One whose worker died
comes free when its lease runs out, and is gone on with at the row where it stood.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock
from services.residents.imports import files, jobs
from services.residents.imports.columns import Fault
from services.residents.imports.models import Import, ImportFault

LEASE = timedelta(seconds=30)
# As often as this it may be taken on: a file that ends every process that reads it ends here.
_ATTEMPTS = 10
_KEPT = timedelta(days=1)
_FAULTS_KEPT = timedelta(days=30)


class ClaimLost(Exception):
    """Another has taken the import on, after this one's lease had run out."""


def take(session: Session) -> Import | None:
    """Claim the oldest import that nobody works on. A dry run begins anew, for nothing of it is
    there to go on from.
    """
    free = (
        select(Import)
        .where(
            Import.finished_at.is_(None),
            Import.state.in_((jobs.WAITING, jobs.RUNNING)),
            Import.claimed_until <= clock.now(),
        )
        .order_by(Import.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    job = session.scalars(free).one_or_none()
    if job is None:
        return None
    job.state, job.claim, job.claimed_until = jobs.RUNNING, job.claim + 1, clock.now() + LEASE
    if job.dry_run:
        session.execute(delete(ImportFault).where(ImportFault.import_id == job.id))
        job.done = job.added = job.changed = job.unchanged = job.failed = 0
    if job.claim > _ATTEMPTS:
        finish(session, job, Fault(0, "", "internal"))
        return None
    return job


def held(session: Session, claimed: Import) -> Import:
    """The import as it stands, locked, its lease renewed; raises ClaimLost."""
    job = session.get(Import, claimed.id, with_for_update=True)
    if job is None or job.claim != claimed.claim or job.finished_at is not None:
        raise ClaimLost
    job.claimed_until = clock.now() + LEASE
    return job


def record(session: Session, job: Import, outcomes: Iterable[str | list[Fault]]) -> None:
    """Add up what became of some rows, and renew the lease: taking them may have used it up."""
    results = list(outcomes)
    job.claimed_until = clock.now() + LEASE
    counts = Counter(each if isinstance(each, str) else "failed" for each in results)
    job.done += len(results)
    for name, count in counts.items():
        setattr(job, name, getattr(job, name) + count)
    _keep(session, job, [fault for each in results if not isinstance(each, str) for fault in each])


def finish(session: Session, job: Import, fault: Fault | None = None) -> None:
    """It is done, or cannot be: the file goes."""
    if fault is not None:
        _keep(session, job, [fault])
    job.state = jobs.DONE if fault is None else jobs.FAILED
    job.finished_at = clock.now()
    files.drop(session, job)


def give_back(session: Session, claimed: Import) -> None:
    """Let another go on at once."""
    mine = (Import.id == claimed.id, Import.claim == claimed.claim, Import.finished_at.is_(None))
    session.execute(update(Import).where(*mine).values(claimed_until=clock.now()))


def forget_old(session: Session) -> None:
    """Give up what has not come to an end within a day, and drop last month's faults."""
    old = Import.finished_at.is_(None) & (Import.created_at < clock.now() - _KEPT)
    for job in session.scalars(select(Import).where(old).with_for_update(skip_locked=True)):
        finish(session, job, Fault(0, "", "expired"))
    past = select(Import.id).where(Import.finished_at < clock.now() - _FAULTS_KEPT)
    session.execute(delete(ImportFault).where(ImportFault.import_id.in_(past)))


def _keep(session: Session, job: Import, faults: list[Fault]) -> None:
    if not faults:
        return
    values = [
        {"import_id": job.id, "row": each.row, "field": each.column, "code": each.code}
        for each in faults
    ]
    session.execute(insert(ImportFault).on_conflict_do_nothing(), values)
