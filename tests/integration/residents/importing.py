"""Imports in a database of their own: begun as the gateway would, worked through by an importer."""

import base64
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from chassis import migrate
from chassis.call import Call
from services.residents.importer import Importer
from services.residents.imports import claims, jobs, schemas
from services.residents.imports.models import Import
from tests.integration.residents.world import OPEN, VAULT, World, caller

_districts = itertools.count(410101)


@contextmanager
def a_database(postgres: Any, places: Sequence[str] | None = None) -> Iterator[Engine]:
    """A database of its own, since imports commit: empty, or with the community and these places
    in it.
    """
    urls = postgres.create_service_database("residents")
    migrate.upgrade("services.residents", urls["owner_url"], "linli_residents")
    engine = create_engine(urls["app_url"], connect_args=OPEN)
    if places is not None:
        with Session(engine) as session, session.begin():
            World(session).add_community(*places)
    yield engine
    engine.dispose()


class Importing:
    """What an administrator does with files of one kind."""

    def __init__(self, engine: Engine, kind: str) -> None:
        self.engine = engine
        self.kind = kind
        self.call = caller()
        self.importer = Importer(engine, VAULT)

    def begin(self, content: bytes, parts: int = 1, call: Call | None = None, **more: Any) -> Any:
        """An import whose file has come, waiting for a worker."""
        call = call or caller(person=self.call.actor.id)
        size = max(1, -(-len(content) // parts))
        pieces = [content[start : start + size] for start in range(0, len(content), size)]
        wanted = {"kind": self.kind, "parts": len(pieces), **more}
        with Session(self.engine) as session, session.begin():
            begun = jobs.begin(session, call, VAULT, schemas.BeginImport().load(wanted))
            which = {"kind": self.kind, "id": begun["id"]}
            for number, piece in enumerate(pieces):
                part = {**which, "number": number, "content": base64.b64encode(piece).decode()}
                jobs.receive(session, call, VAULT, schemas.AddImportPart().load(part))
            return jobs.start(session, call, schemas.ImportRef().load(which))

    def run(self, content: bytes | str, **more: Any) -> Any:
        """An import from beginning to end."""
        content = content.encode() if isinstance(content, str) else content
        begun = self.begin(content, **more)
        while self.importer.work():
            pass
        return self.get(begun["id"])

    def get(self, import_id: str, call: Call | None = None) -> Any:
        """The import as it stands."""
        wanted = schemas.ImportRef().load({"kind": self.kind, "id": import_id})
        with Session(self.engine) as session:
            return jobs.get(session, call or self.call, wanted)

    def faults(self, import_id: str, **page: Any) -> Any:
        """A page of its faults."""
        wanted = schemas.ListImportFaults().load({"kind": self.kind, "id": import_id, **page})
        with Session(self.engine) as session:
            return jobs.faults(session, self.call, wanted)

    def claim(self) -> Import | None:
        """Take an import as a worker would."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            return claims.take(session)


def a_district() -> str:
    """The code of a district that no other test has."""
    return f"{next(_districts)}000000"


def counts(found: Any) -> tuple[int, ...]:
    """Added, changed, unchanged and failed."""
    return tuple(found[name] for name in ("added", "changed", "unchanged", "failed"))
