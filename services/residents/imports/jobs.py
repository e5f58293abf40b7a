"""An import as its owner sees it: begun, its file received, started; looked at while it works."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from chassis import call as calls
from chassis import clock
from chassis.call import Call
from chassis.errors import Conflict, NotFound
from chassis.ids import new_id
from services.residents import paging
from services.residents.errors import invalid
from services.residents.imports import files, spreadsheets, standing
from services.residents.imports.kinds import KINDS
from services.residents.imports.models import Import, ImportFault
from services.residents.vault import Vault

RECEIVING, WAITING, RUNNING, DONE, FAILED = "receiving", "waiting", "running", "done", "failed"
COUNTS = ("done", "added", "changed", "unchanged", "failed")
FIRST_FAULTS = 20
"""Faults that are shown with their import; all of them are a list of their own."""

Wanted = Mapping[str, Any]


def begin(session: Session, call: Call, vault: Vault, wanted: Wanted) -> dict[str, Any]:
    """Make an import, or find the one that this command made. Raises Forbidden to whoever may do
    such a thing to themselves at most.
    """
    kind = KINDS[wanted["kind"]]
    reaches = call.reaches(kind.operation)
    if not any(reach == "any" or reach.startswith("area:") for reach in reaches):
        raise kind.denied()
    same = Import.command_id == call.command_id
    made = session.scalars(select(Import).where(same)).one_or_none() if call.command_id else None
    if made is None:
        made = _new(standing.noted(session, call), vault, wanted)
        session.add(made)
        session.flush()
    return _answer(session, made)


def receive(session: Session, call: Call, vault: Vault, wanted: Wanted) -> dict[str, Any]:
    """Keep a part of the file. Raises NotFound, and Invalid where it is no spreadsheet."""
    job = _own(session, call, wanted)
    content = wanted["content"]
    if wanted["number"] == 0 and not spreadsheets.looks_like_one(content):
        raise invalid("file", "not_a_spreadsheet", "Neither CSV nor XLSX.")
    if job.state == RECEIVING:
        files.keep(session, vault, job, wanted["number"], content)
    return {"id": str(job.id)}


def start(session: Session, call: Call, wanted: Wanted) -> dict[str, Any]:
    """Hand a file that is whole to whoever is free to work on it. Raises NotFound, Conflict."""
    job = _own(session, call, wanted)
    if job.state == RECEIVING:
        if not files.is_whole(session, job):
            raise Conflict
        job.state = WAITING
    return _answer(session, job)


def get(session: Session, call: Call, wanted: Wanted) -> dict[str, Any]:
    """One import with its counts and the first faults; raises NotFound."""
    return _answer(session, _seen(session, call, wanted))


def page(session: Session, call: Call, wanted: Wanted) -> dict[str, Any]:
    """A page of the caller's own imports of a kind, newest first, without their faults."""
    found = select(Import).where(Import.owner == str(call.actor.id), Import.kind == wanted["kind"])
    after = paging.decode(wanted["after"], UUID)
    if after:
        found = found.where(Import.id < after[0])
    ordered = found.order_by(Import.id.desc()).limit(wanted["limit"] + 1)
    rows = session.scalars(ordered).all()
    return paging.page(rows, wanted["limit"], lambda job: [job.id], _summary)


def faults(session: Session, call: Call, wanted: Wanted) -> dict[str, Any]:
    """A page of what was found at fault, by row; raises NotFound."""
    job = _seen(session, call, wanted)
    key = tuple_(ImportFault.row, ImportFault.field)
    found = select(ImportFault).where(ImportFault.import_id == job.id)
    after = paging.decode(wanted["after"], int, paging.text)
    if after:
        found = found.where(key > after)
    rows = session.scalars(
        found.order_by(ImportFault.row, ImportFault.field).limit(wanted["limit"] + 1)
    ).all()
    return paging.page(rows, wanted["limit"], lambda fault: [fault.row, fault.field], _fault)


def _new(call: Call, vault: Vault, wanted: Wanted) -> Import:
    job_id = new_id()
    wrapped = vault.new_file_key(job_id)
    return Import(
        id=job_id,
        kind=wanted["kind"],
        state=RECEIVING,
        dry_run=wanted["dry_run"],
        owner=str(call.actor.id),
        call=calls.encode(replace(call, command_id=None)),
        command_id=call.command_id,
        parts=wanted["parts"],
        key_id=wrapped.key_id,
        wrapped=wrapped.wrapped,
        rows=None,
        **dict.fromkeys((*COUNTS, "claim"), 0),
        claimed_until=clock.now(),
        created_at=clock.now(),
        finished_at=None,
    )


def _own(session: Session, call: Call, wanted: Wanted) -> Import:
    job = session.get(Import, wanted["id"], with_for_update=True)
    if job is None or (job.owner, job.kind) != (str(call.actor.id), wanted["kind"]):
        raise NotFound
    return job


def _seen(session: Session, call: Call, wanted: Wanted) -> Import:
    """Its owner sees an import, and whoever may do such a thing everywhere."""
    job = session.get(Import, wanted["id"])
    operation = KINDS[wanted["kind"]].operation
    if job is None or job.kind != wanted["kind"]:
        raise NotFound
    if job.owner != str(call.actor.id) and "any" not in call.reaches(operation):
        raise NotFound
    return job


def _answer(session: Session, job: Import) -> dict[str, Any]:
    first = select(ImportFault).where(ImportFault.import_id == job.id)
    shown = session.scalars(first.order_by(ImportFault.row, ImportFault.field).limit(FIRST_FAULTS))
    return {**_summary(job), "errors": [_fault(fault) for fault in shown]}


def _summary(job: Import) -> dict[str, Any]:
    return {
        "id": str(job.id),
        "state": job.state,
        "dry_run": job.dry_run,
        "rows": job.rows,
        **{
            name: getattr(job, name) for name in ("done", "added", "changed", "unchanged", "failed")
        },
        "created_at": clock.iso(job.created_at),
        "finished_at": job.finished_at and clock.iso(job.finished_at),
    }


def _fault(fault: ImportFault) -> dict[str, Any]:
    return {"row": fault.row or None, "column": fault.field or None, "code": fault.code}
