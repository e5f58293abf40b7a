"""`…/imports`: files of areas, residents and households, handed over to be worked on."""

import base64
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from chassis.errors import NotFound
from services.gateway import import_texts
from services.gateway.api.capability import Capability
from services.gateway.exchange import Ask
from services.gateway.operation import operation
from services.gateway.schemas import imports as schemas
from services.gateway.schemas.common import Page, list_of

LARGEST = 16 << 20
"""Bytes of a file."""

# Bytes that go to the registry in one message.
_PART = 512 << 10


class Imports(Capability):
    """Whoever may write the things one by one may import a file of them."""

    @operation(
        "POST",
        "/areas/imports",
        policy="areas.write",
        query=schemas.ImportQuery,
        answer=schemas.Import,
        status=202,
        location="/areas/imports/{id}",
        upload=LARGEST,
    )
    def import_areas(self, ask: Ask) -> Any:
        """Import areas from a CSV or XLSX file."""
        return _begin(self, ask, "areas")

    @operation(
        "GET",
        "/areas/imports",
        policy="areas.write",
        query=Page,
        answer=list_of(schemas.ImportListed),
    )
    def list_area_imports(self, ask: Ask) -> Any:
        """One's own imports of areas, newest first."""
        return ask.of(self.residents).list_imports({"kind": "areas", **ask.command()})

    @operation(
        "GET",
        "/areas/imports/<uuid:id>",
        policy="areas.write",
        answer=schemas.Import,
        errors=(NotFound,),
    )
    def get_area_import(self, ask: Ask) -> Any:
        """An import of areas: how far it is, and what is wrong."""
        return _one(self, ask, "areas")

    @operation(
        "GET",
        "/areas/imports/<uuid:id>/errors",
        policy="areas.write",
        query=Page,
        answer=list_of(schemas.ImportError),
        errors=(NotFound,),
    )
    def list_area_import_errors(self, ask: Ask) -> Any:
        """What is wrong with the rows of an import of areas."""
        return _errors(self, ask, "areas")

    @operation(
        "POST",
        "/residents/imports",
        policy="residents.write",
        query=schemas.ImportQuery,
        answer=schemas.Import,
        status=202,
        location="/residents/imports/{id}",
        upload=LARGEST,
        owner_decides=True,
    )
    def import_residents(self, ask: Ask) -> Any:
        """Import residents from a CSV or XLSX file."""
        return _begin(self, ask, "residents")

    @operation(
        "GET",
        "/residents/imports",
        policy="residents.write",
        query=Page,
        answer=list_of(schemas.ImportListed),
    )
    def list_resident_imports(self, ask: Ask) -> Any:
        """One's own imports of residents, newest first."""
        return ask.of(self.residents).list_imports({"kind": "residents", **ask.command()})

    @operation(
        "GET",
        "/residents/imports/<uuid:id>",
        policy="residents.write",
        answer=schemas.Import,
        errors=(NotFound,),
    )
    def get_resident_import(self, ask: Ask) -> Any:
        """An import of residents: how far it is, and what is wrong."""
        return _one(self, ask, "residents")

    @operation(
        "GET",
        "/residents/imports/<uuid:id>/errors",
        policy="residents.write",
        query=Page,
        answer=list_of(schemas.ImportError),
        errors=(NotFound,),
    )
    def list_resident_import_errors(self, ask: Ask) -> Any:
        """What is wrong with the rows of an import of residents."""
        return _errors(self, ask, "residents")

    @operation(
        "POST",
        "/households/imports",
        policy="households.write",
        query=schemas.ImportQuery,
        answer=schemas.Import,
        status=202,
        location="/households/imports/{id}",
        upload=LARGEST,
        owner_decides=True,
    )
    def import_households(self, ask: Ask) -> Any:
        """Import households from a CSV or XLSX file."""
        return _begin(self, ask, "households")

    @operation(
        "GET",
        "/households/imports",
        policy="households.write",
        query=Page,
        answer=list_of(schemas.ImportListed),
    )
    def list_household_imports(self, ask: Ask) -> Any:
        """One's own imports of households, newest first."""
        return ask.of(self.residents).list_imports({"kind": "households", **ask.command()})

    @operation(
        "GET",
        "/households/imports/<uuid:id>",
        policy="households.write",
        answer=schemas.Import,
        errors=(NotFound,),
    )
    def get_household_import(self, ask: Ask) -> Any:
        """An import of households: how far it is, and what is wrong."""
        return _one(self, ask, "households")

    @operation(
        "GET",
        "/households/imports/<uuid:id>/errors",
        policy="households.write",
        query=Page,
        answer=list_of(schemas.ImportError),
        errors=(NotFound,),
    )
    def list_household_import_errors(self, ask: Ask) -> Any:
        """What is wrong with the rows of an import of households."""
        return _errors(self, ask, "households")


def _begin(service: Any, ask: Ask, kind: str) -> Any:
    """Hand the file over in parts, each within its own deadline: all of them are one command, so
    that a caller who got no answer sends it again.
    """
    parts = list(_parts(ask.file))
    wanted = {"kind": kind, "parts": len(parts), "dry_run": ask.query["dry_run"]}
    begun = ask.of(service.residents).begin_import(wanted)
    which = {"kind": kind, "id": begun["id"]}
    if begun["state"] == "receiving":
        for number, part in enumerate(parts):
            content = base64.b64encode(part).decode("ascii")
            piece = {**which, "number": number, "content": content}
            _later(service, ask).of(service.residents).add_import_part(piece)
    started = _later(service, ask).of(service.residents).start_import(which)
    return _worded(started, ask)


def _one(service: Any, ask: Ask, kind: str) -> Any:
    found = ask.of(service.residents).get_import({"kind": kind, **ask.command()})
    return _worded(found, ask)


def _errors(service: Any, ask: Ask, kind: str) -> Any:
    page = ask.of(service.residents).list_import_faults({"kind": kind, **ask.command()})
    return {**page, "items": [_message(fault, ask) for fault in page["items"]]}


def _parts(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), _PART):
        yield content[start : start + _PART]


def _later(service: Any, ask: Ask) -> Ask:
    return replace(ask, until=time.monotonic() + service.gate.settings.call_deadline)


def _worded(found: dict[str, Any], ask: Ask) -> dict[str, Any]:
    return {**found, "errors": [_message(fault, ask) for fault in found["errors"]]}


def _message(fault: dict[str, Any], ask: Ask) -> dict[str, Any]:
    said = import_texts.message(fault["code"], ask.call.locale, fault["column"])
    return {**fault, "message": said}
