"""The whole surface of residents: what it does when told, and what it answers when asked.

Every method takes one JSON object in the shape that it loads with, and returns one. Beside the
errors named, each raises Invalid for a command of another shape, NotFound for what the caller may
not see and Forbidden for what they may not do.
"""

from datetime import timedelta
from typing import Any

from nameko.timer import timer

from chassis.call import Call, system_call
from chassis.clock import now
from chassis.context import CurrentCall
from chassis.health import Health
from chassis.rpc import rpc
from chassis.schemas import load
from services.residents import clerks, personal_schemas, queries, retention, schemas, wall
from services.residents.commands import areas, departments, duties, people
from services.residents.dependencies import AuditedDatabase, PersonalVault, PhoneHold
from services.residents.entrypoints.care import CareTags
from services.residents.entrypoints.households import Households
from services.residents.entrypoints.imports import Imports
from services.residents.entrypoints.official import OfficialAreas
from services.residents.entrypoints.personal import PersonalData
from services.residents.settings import ResidentsSettings
from services.residents.vault import Vault

Json = dict[str, Any]


class ResidentsService(
    CareTags,  # care tags
    Households,  # households
    Imports,  # files of areas and people
    OfficialAreas,  # what areas there are in the country
    PersonalData,  # the audit, disclosures, export, consents, erasure
):
    """What residents accepts: commands and queries by RPC."""

    name = "residents"
    settings_class = ResidentsSettings
    emits = True
    beside = ("services.residents.importer",)

    db = AuditedDatabase(wall.settings)
    call: Call = CurrentCall()
    vault: Vault = PersonalVault()
    phone_hold: timedelta = PhoneHold()
    health = Health()

    @rpc
    def add_area(self, command: Json) -> Json:
        """Add a place to the tree and return it. Raises Invalid (unknown_parent), AreaExists."""
        wanted = load(schemas.AddArea, command)
        with self.db.transaction() as session:
            return areas.add(session, self.call, wanted)

    @rpc
    def rename_area(self, command: Json) -> Json:
        """Give a place another name and return it."""
        wanted = load(schemas.RenameArea, command)
        with self.db.transaction() as session:
            return areas.rename(session, self.call, wanted)

    @rpc
    def get_area(self, query: Json) -> Json:
        """The place with a `code`."""
        wanted = load(schemas.AreaRef, query)
        with self.db.read() as session:
            return queries.area(session, self.call, wanted["code"])

    @rpc
    def list_areas(self, query: Json) -> Json:
        """A page of the places that the caller may see, nearest first."""
        wanted = load(schemas.ListAreas, query)
        with self.db.read() as session:
            return queries.areas(session, self.call, wanted)

    @rpc
    def area_children(self, query: Json) -> Json:
        """A page of the places right below one."""
        wanted = load(schemas.AreaChildren, query)
        with self.db.read() as session:
            return queries.area_children(session, self.call, wanted)

    @rpc
    def register_resident(self, command: Json) -> Json:
        """Put a person on the register and return them, masked. Raises Invalid (unknown_area),
        ResidentExists.
        """
        wanted = load(schemas.RegisterResident, command)
        with self.db.transaction() as session:
            return people.register(session, self.call, self.vault, wanted)

    @rpc
    def ensure_resident(self, command: Json) -> Json:
        """The `{id}` of the person with a phone number, made known if nobody was and not only who
        is known is wanted.
        """
        wanted = load(schemas.EnsureResident, command)
        with self.db.transaction() as session:
            return people.ensure(session, self.call, self.vault, wanted, hold=self.phone_hold)

    @rpc
    def amend_resident(self, command: Json) -> Json:
        """Change what is recorded of a person and return them, masked. Raises Invalid
        (unknown_area), ResidentExists.
        """
        wanted = load(schemas.AmendResident, command)
        with self.db.transaction() as session:
            return people.amend(session, self.call, self.vault, wanted)

    @rpc
    def get_resident(self, query: Json) -> Json:
        """The person with an `id`; phone, ID number and e-mail address masked."""
        wanted = load(schemas.ResidentRef, query)
        with self.db.transaction() as session:
            return queries.resident(session, self.call, self.vault, wanted["id"])

    @rpc
    def find_residents(self, query: Json) -> Json:
        """A page of people by whole phone number, ID number or name, or in a place; all masked."""
        wanted = load(schemas.FindResidents, query)
        with self.db.transaction() as session:
            return queries.residents(session, self.call, self.vault, wanted)

    @rpc
    def contact(self, query: Json) -> Json:
        """For notifications only: `{id, name, phone, email, locale}` of a person, in full; with a
        `change` of their number the one before, and masked the one since, `changed_to`.
        """
        wanted = load(personal_schemas.Contact, query)
        with self.db.transaction() as session:
            return queries.contact(session, self.call, self.vault, wanted)

    @rpc
    def start_duty(self, command: Json) -> Json:
        """Give a person a duty and return it. Raises Invalid (unknown or unfit person, area,
        department), DutyOverlaps.
        """
        wanted = load(schemas.StartDuty, command)
        with self.db.transaction() as session:
            return duties.start(session, self.call, wanted)

    @rpc
    def end_duty(self, command: Json) -> Json:
        """Set the last day of a duty, or none, and return it. Raises Invalid (before_start),
        DutyOverlaps.
        """
        wanted = load(schemas.EndDuty, command)
        with self.db.transaction() as session:
            return duties.end(session, self.call, wanted)

    @rpc
    def get_duty(self, query: Json) -> Json:
        """The duty with an `id`."""
        wanted = load(schemas.DutyRef, query)
        with self.db.read() as session:
            return queries.duty(session, self.call, wanted["id"])

    @rpc
    def list_duties(self, query: Json) -> Json:
        """A page of duties, in the order in which they were given."""
        wanted = load(schemas.ListDuties, query)
        with self.db.read() as session:
            return queries.duties(session, self.call, wanted)

    @rpc
    def add_department(self, command: Json) -> Json:
        """Add a department and return it. Raises DepartmentExists."""
        wanted = load(schemas.AddDepartment, command)
        with self.db.transaction() as session:
            return departments.add(session, self.call, wanted)

    @rpc
    def change_department(self, command: Json) -> Json:
        """Rename, close or open a department and return it."""
        wanted = load(schemas.ChangeDepartment, command)
        with self.db.transaction() as session:
            return departments.change(session, self.call, wanted)

    @rpc
    def get_department(self, query: Json) -> Json:
        """The department with a `code`."""
        wanted = load(schemas.DepartmentRef, query)
        with self.db.read() as session:
            return queries.department(session, self.call, wanted["code"])

    @rpc
    def list_departments(self, query: Json) -> Json:
        """A page of departments, by code."""
        wanted = load(schemas.ListDepartments, query)
        with self.db.read() as session:
            return queries.departments(session, self.call, wanted)

    @rpc
    def list_department_clerks(self, query: Json) -> Json:
        """A page of those who work for a department, today or `on` a day; names masked."""
        wanted = load(personal_schemas.DepartmentClerks, query)
        with self.db.transaction() as session:
            return clerks.of_department(session, self.call, self.vault, wanted)

    @timer(interval=3600, eager=True)
    def apply_retention(self) -> None:
        """Drop what has been kept for long enough, a batch in a transaction; any replica may."""
        more = True
        while more:
            with self.db.transaction() as session:
                more = retention.forget_some(session, system_call(self.name), now()) > 0
