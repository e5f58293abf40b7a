"""The file of an import while it is needed: in pieces, each sealed under a key of the import's own,
gone with that key as soon as the import is.
"""

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.errors import Gone
from services.residents.imports.models import Import, ImportPart
from services.residents.vault import FileKey, Vault, WrappedKey


def keep(session: Session, vault: Vault, job: Import, number: int, content: bytes) -> None:
    """Seal and store one piece; the same one again changes nothing."""
    sealed = _key(vault, job).seal(number, content)
    piece = insert(ImportPart).values(import_id=job.id, number=number, sealed=sealed)
    session.execute(piece.on_conflict_do_nothing())


def is_whole(session: Session, job: Import) -> bool:
    """Whether every piece has come."""
    pieces = select(func.count()).where(ImportPart.import_id == job.id)
    return session.scalar(pieces) == job.parts


def content(session: Session, vault: Vault, job: Import) -> bytes:
    """The whole file; raises Gone when it is no longer kept."""
    key = _key(vault, job)
    pieces = select(ImportPart).where(ImportPart.import_id == job.id).order_by(ImportPart.number)
    return b"".join(
        key.open(piece.number, piece.sealed) for piece in session.scalars(pieces).yield_per(1)
    )


def drop(session: Session, job: Import) -> None:
    """Delete the file and its key: what is left of it in any copy cannot be read."""
    session.execute(delete(ImportPart).where(ImportPart.import_id == job.id))
    job.key_id = job.wrapped = None


def _key(vault: Vault, job: Import) -> FileKey:
    if job.key_id is None or job.wrapped is None:
        raise Gone
    return vault.open_file_key(job.id, WrappedKey(job.key_id, job.wrapped))
