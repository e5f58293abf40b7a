"""What residents accepts and answers about imports."""

from typing import Any

from chassis.call import Call
from chassis.database import Database
from chassis.rpc import rpc
from chassis.schemas import load
from services.residents.imports import jobs as imports
from services.residents.imports import schemas
from services.residents.vault import Vault

Json = dict[str, Any]


class Imports:
    """Commands and queries of the service that has these dependencies."""

    db: Database
    call: Call
    vault: Vault

    @rpc
    def begin_import(self, command: Json) -> Json:
        """Make an import of a kind, whose file is to come in parts, and return it."""
        wanted = load(schemas.BeginImport, command)
        with self.db.transaction() as session:
            return imports.begin(session, self.call, self.vault, wanted)

    @rpc
    def add_import_part(self, command: Json) -> Json:
        """Keep a part of an import's file. Raises Invalid (not_a_spreadsheet)."""
        wanted = load(schemas.AddImportPart, command)
        with self.db.transaction() as session:
            return imports.receive(session, self.call, self.vault, wanted)

    @rpc
    def start_import(self, command: Json) -> Json:
        """Have an import worked on and return it. Raises Conflict while parts are missing."""
        wanted = load(schemas.ImportRef, command)
        with self.db.transaction() as session:
            return imports.start(session, self.call, wanted)

    @rpc
    def get_import(self, query: Json) -> Json:
        """How far an import is, and what it has found at fault first."""
        wanted = load(schemas.ImportRef, query)
        with self.db.read() as session:
            return imports.get(session, self.call, wanted)

    @rpc
    def list_imports(self, query: Json) -> Json:
        """A page of the caller's own imports of a kind, newest first."""
        wanted = load(schemas.ListImports, query)
        with self.db.read() as session:
            return imports.page(session, self.call, wanted)

    @rpc
    def list_import_faults(self, query: Json) -> Json:
        """A page of what an import has found at fault, by row."""
        wanted = load(schemas.ListImportFaults, query)
        with self.db.read() as session:
            return imports.faults(session, self.call, wanted)
