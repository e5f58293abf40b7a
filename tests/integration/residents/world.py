"""A small world for tests: callers, random people, and the commands as the service gives them."""

import json
import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session
from stdnum.cn import ric

from chassis.call import Actor, Call, Grant, system_call
from chassis.ids import new_id
from chassis.outbox import outbox
from services.residents import (
    audit_trail,
    coverage,
    export,
    household_queries,
    household_schemas,
    personal_schemas,
    queries,
    schemas,
)
from services.residents.care import commands as care_commands
from services.residents.care import queries as care_queries
from services.residents.care import schemas as care_schemas
from services.residents.commands import (
    areas,
    consents,
    departments,
    duties,
    erasing,
    households,
    members,
    people,
)
from services.residents.vault import Vault

COMMUNITY = "340603008002"
VAULT = Vault({"k1": bytes([1]) * 32}, bytes([9]) * 32)
EVERYTHING = frozenset(
    f"{noun}.{verb}"
    for noun in ("areas", "residents", "households", "care_tags", "duties", "departments")
    for verb in ("read", "write")
) | {f"residents.{right}" for right in ("audit", "consent", "disclose", "erase", "export")}
MOMENT = datetime(2026, 11, 1, 8, tzinfo=UTC)


def caller(reach: str = "any", *may: str, person: str | None = None, **values: Any) -> Call:
    """A call by a person who may do `may` (default: everything) in `reach`."""
    return Call(
        actor=Actor(person or str(new_id()), "person"),
        grants=(Grant(reach, frozenset(may) or EVERYTHING),),
        command_id=values.pop("command_id", str(new_id())),
        occurred_at=MOMENT,
        **values,
    )


def a_phone() -> str:
    """A mobile number that no other test has."""
    return f"138{random.randrange(10**8):08}"


def an_id_number() -> str:
    """A resident ID number that no other test has."""
    born = date(1930, 1, 1) + timedelta(days=random.randrange(30_000))
    body = f"340603{born:%Y%m%d}{random.randrange(1000):03}"
    return body + ric.calc_check_digit(body + "0")


class World:
    """Commands and queries in one session, by an administrator unless said otherwise."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.vault = VAULT

    def add_area(self, code: str, name: str = "某处", call: Call | None = None, **more: Any) -> Any:
        wanted = schemas.AddArea().load({"code": code, "name": name, **more})
        return areas.add(self.session, call or caller(), wanted)

    def add_official(self, code: str, call: Call | None = None, **more: Any) -> Any:
        wanted = schemas.AddArea().load({"code": code, **more})
        return areas.add(self.session, call or caller(), wanted)

    def add_community(self, *below: str) -> None:
        """The demo community with what holds it, and `below` it parts such as `e1.g2`."""
        official = ["340603000000", "340603008000", COMMUNITY]
        for code in [*official, *(f"{COMMUNITY}.{part}" for part in below)]:
            self.add_area(code)

    def rename_area(self, code: str, name: str, call: Call | None = None, **more: Any) -> Any:
        wanted = schemas.RenameArea().load({"code": code, "name": name, **more})
        return areas.rename(self.session, call or caller(), wanted)

    def area(self, code: str, call: Call | None = None) -> Any:
        return queries.area(self.session, call or caller(), code)

    def areas(self, call: Call | None = None, **wanted: Any) -> Any:
        return queries.areas(self.session, call or caller(), schemas.ListAreas().load(wanted))

    def children(self, code: str, **wanted: Any) -> Any:
        loaded = schemas.AreaChildren().load({"code": code, **wanted})
        return queries.area_children(self.session, caller(), loaded)

    def add_department(self, code: str = "water", call: Call | None = None, **more: Any) -> Any:
        wanted = schemas.AddDepartment().load({"code": code, "name": "水务局", **more})
        return departments.add(self.session, call or caller(), wanted)

    def change_department(self, code: str, call: Call | None = None, **changes: Any) -> Any:
        wanted = schemas.ChangeDepartment().load({"code": code, **changes})
        return departments.change(self.session, call or caller(), wanted)

    def departments(self, call: Call | None = None, **wanted: Any) -> Any:
        loaded = schemas.ListDepartments().load(wanted)
        return queries.departments(self.session, call or caller(), loaded)

    def register(self, name: str = "王小明", call: Call | None = None, **more: Any) -> Any:
        wanted = schemas.RegisterResident().load({"name": name, **more})
        return people.register(self.session, call or caller(), self.vault, wanted)

    def ensure(self, phone: str, call: Call | None = None, **more: Any) -> str:
        wanted = schemas.EnsureResident().load({"phone": phone, **more})
        found = people.ensure(self.session, call or Call(), self.vault, wanted)
        return str(found["id"])

    def amend(self, resident: str, call: Call | None = None, **changes: Any) -> Any:
        wanted = schemas.AmendResident().load({"id": resident, **changes})
        return people.amend(self.session, call or caller(), self.vault, wanted)

    def resident(self, resident: str, call: Call | None = None) -> Any:
        wanted = schemas.ResidentRef().load({"id": resident})
        return queries.resident(self.session, call or caller(), self.vault, wanted["id"])

    def find(self, call: Call | None = None, **wanted: Any) -> Any:
        loaded = schemas.FindResidents().load(wanted)
        return queries.residents(self.session, call or caller(), self.vault, loaded)

    def contact(self, resident: str, call: Call | None = None) -> Any:
        wanted = schemas.ResidentRef().load({"id": resident})
        asking = call or system_call("notifications")
        return queries.contact(self.session, asking, self.vault, wanted["id"])

    def disclose(self, resident: str, *fields: str, call: Call | None = None, **more: Any) -> Any:
        command = {"id": resident, "fields": list(fields), "reason": "回访", **more}
        wanted = personal_schemas.Disclose().load(command)
        return queries.disclosure(self.session, call or caller(), self.vault, wanted)

    def erase(self, resident: str, call: Call | None = None, reason: str = "本人申请") -> Any:
        wanted = personal_schemas.Erase().load({"id": resident, "reason": reason})
        return erasing.erase(self.session, call or caller(), wanted)

    def consent(self, resident: str, purpose: str = "notices", call: Call | None = None) -> Any:
        wanted = personal_schemas.Consent().load({"id": resident, "purpose": purpose})
        return consents.give(self.session, call or caller(), wanted)

    def withdraw(self, resident: str, consent: str, call: Call | None = None) -> Any:
        wanted = personal_schemas.Withdraw().load({"id": resident, "consent": consent})
        return consents.withdraw(self.session, call or caller(), wanted)

    def consents(self, resident: str, call: Call | None = None, **wanted: Any) -> Any:
        loaded = personal_schemas.Consents().load({"id": resident, **wanted})
        return consents.history(self.session, call or caller(), loaded)

    def export(self, resident: str, call: Call | None = None) -> Any:
        person = schemas.ResidentRef().load({"id": resident})["id"]
        return export.of_resident(self.session, call or caller(), self.vault, person)

    def audit(self, call: Call | None = None, **wanted: Any) -> Any:
        loaded = personal_schemas.ListAudit().load(wanted)
        return audit_trail.entries(self.session, call or caller(), loaded)

    def audit_of(self, resident: str, call: Call | None = None, **wanted: Any) -> Any:
        loaded = personal_schemas.ResidentAudit().load({"id": resident, **wanted})
        return audit_trail.of_resident(self.session, call or caller(), loaded)

    def rows(self, table: str) -> list[str]:
        """Every row of a table as text."""
        return list(self.session.scalars(text(f"SELECT t::text FROM {table} t")))

    def register_household(
        self, area: str, door: str, call: Call | None = None, **more: Any
    ) -> Any:
        command = {"area": area, "door": door, **more}
        wanted = household_schemas.RegisterHousehold().load(command)
        return households.register(self.session, call or caller(), self.vault, wanted)

    def amend_household(self, household: str, call: Call | None = None, **changes: Any) -> Any:
        wanted = household_schemas.AmendHousehold().load({"id": household, **changes})
        return households.amend(self.session, call or caller(), self.vault, wanted)

    def close_household(
        self, household: str, to: str | None = None, call: Call | None = None
    ) -> Any:
        wanted = household_schemas.CloseHousehold().load({"id": household, "to": to})
        return households.close(self.session, call or caller(), self.vault, wanted)

    def household(self, household: str, call: Call | None = None) -> Any:
        wanted = household_schemas.HouseholdRef().load({"id": household})
        return household_queries.household(self.session, call or caller(), self.vault, wanted["id"])

    def households(self, call: Call | None = None, **wanted: Any) -> Any:
        loaded = household_schemas.ListHouseholds().load(wanted)
        return household_queries.households(self.session, call or caller(), self.vault, loaded)

    def move_in(self, household: str, resident: str, call: Call | None = None, **more: Any) -> Any:
        command = {"household": household, "resident": resident, **more}
        wanted = household_schemas.MoveIn().load(command)
        return members.move_in(self.session, call or caller(), wanted)

    def move_out(
        self, household: str, member: str, to: str | None = None, call: Call | None = None
    ) -> Any:
        command = {"household": household, "id": member, "to": to}
        wanted = household_schemas.MoveOut().load(command)
        return members.move_out(self.session, call or caller(), wanted)

    def amend_member(self, household: str, member: str, relation: str) -> Any:
        command = {"household": household, "id": member, "relation": relation}
        return members.amend(self.session, caller(), household_schemas.AmendMember().load(command))

    def members(self, household: str, call: Call | None = None, **wanted: Any) -> Any:
        loaded = household_schemas.HouseholdMembers().load({"household": household, **wanted})
        return household_queries.members(self.session, call or caller(), self.vault, loaded)

    def homes(self, resident: str, call: Call | None = None, **wanted: Any) -> Any:
        loaded = household_schemas.ResidentHouseholds().load({"id": resident, **wanted})
        return household_queries.homes(self.session, call or caller(), loaded)

    def coverage(self, area: str, call: Call | None = None, **wanted: Any) -> Any:
        loaded = household_schemas.Coverage().load({"area": area, **wanted})
        return coverage.coverage(self.session, call or caller(), loaded)

    def give_care_tag(self, resident: str, tag: str, call: Call | None = None, **more: Any) -> Any:
        wanted = care_schemas.GiveCareTag().load({"id": resident, "tag": tag, **more})
        return care_commands.give(self.session, call or caller(), self.vault, wanted)

    def end_care_tag(self, resident: str, care_tag: str, call: Call | None = None) -> Any:
        wanted = care_schemas.EndCareTag().load({"id": resident, "care_tag": care_tag})
        return care_commands.end(self.session, call or caller(), self.vault, wanted)

    def care_tags(self, call: Call | None = None, **wanted: Any) -> Any:
        loaded = care_schemas.ListCareTags().load(wanted)
        return care_queries.in_area(self.session, call or caller(), loaded)

    def care_tags_of(self, resident: str, call: Call | None = None, **wanted: Any) -> Any:
        loaded = care_schemas.ResidentCareTags().load({"id": resident, **wanted})
        return care_queries.of_resident(self.session, call or caller(), self.vault, loaded)

    def start_duty(self, person: str, role: str, call: Call | None = None, **more: Any) -> Any:
        command = {"person": person, "role": role, "from": "2026-11-01", **more}
        return duties.start(self.session, call or caller(), schemas.StartDuty().load(command))

    def end_duty(self, duty: str, to: str | None, call: Call | None = None) -> Any:
        wanted = schemas.EndDuty().load({"id": duty, "to": to})
        return duties.end(self.session, call or caller(), wanted)

    def duties(self, call: Call | None = None, **wanted: Any) -> Any:
        return queries.duties(self.session, call or caller(), schemas.ListDuties().load(wanted))

    def events(self, noun: str = "") -> list[Mapping[str, Any]]:
        """The events stored so far, oldest first, as consumers will see them, with their key."""
        rows = self.session.execute(select(outbox).order_by(outbox.c.id))
        events = [json.loads(row.body) | {"key": row.routing_key} for row in rows]
        return [event for event in events if event["type"].split(".")[2].startswith(noun)]

    def events_of(self, subject: str) -> list[Mapping[str, Any]]:
        """The events about one thing, oldest first."""
        return [event for event in self.events() if event["subject"] == subject]
