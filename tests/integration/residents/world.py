"""A small world for tests: callers, random people, and the commands as the service gives them."""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session
from stdnum.cn import ric

from chassis import walls
from chassis.call import Actor, Call, Grant, system_call
from chassis.ids import new_id
from chassis.outbox import outbox
from services.residents import (
    audit_trail,
    clerks,
    coverage,
    export,
    household_queries,
    household_schemas,
    personal_schemas,
    queries,
    schemas,
    wall,
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
EVERYTHING = (
    frozenset(
        f"{noun}.{verb}"
        for noun in ("areas", "residents", "households", "care_tags", "duties", "departments")
        for verb in ("read", "write")
    )
    | {"department_clerks.read"}
    | {f"residents.{right}" for right in ("audit", "consent", "disclose", "erase", "export")}
)
HOLD = timedelta(hours=24)
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


# What libpq is told for connections that see everything, as the tests' own do.
OPEN = {"options": walls.options(walls.EVERYTHING)}


@contextmanager
def behind_the_wall(session: Session, call: Call) -> Iterator[None]:
    """See what a call's transactions see, and then everything again, as the tests do."""
    walls.tell(session, {"everything": "", "about": "", **wall.settings(call)})
    try:
        yield
    finally:
        walls.tell(session, walls.EVERYTHING)


class World:
    """Commands and queries in one session, by an administrator unless said otherwise."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.vault = VAULT

    def _as(self, call: Call, do: Callable[..., Any], *args: Any) -> Any:
        """What `do` gives to a call, behind the wall as the service's transactions are; undone when
        it raises.
        """
        with behind_the_wall(self.session, call), self.session.begin_nested():
            return do(self.session, call, *args)

    def add_area(self, code: str, name: str = "某处", call: Call | None = None, **more: Any) -> Any:
        wanted = schemas.AddArea().load({"code": code, "name": name, **more})
        return self._as(call or caller(), areas.add, wanted)

    def add_official(self, code: str, call: Call | None = None, **more: Any) -> Any:
        wanted = schemas.AddArea().load({"code": code, **more})
        return self._as(call or caller(), areas.add, wanted)

    def add_community(self, *below: str) -> None:
        """The demo community with what holds it, and `below` it parts such as `e1.g2`."""
        official = ["340603000000", "340603008000", COMMUNITY]
        for code in [*official, *(f"{COMMUNITY}.{part}" for part in below)]:
            self.add_area(code)

    def rename_area(self, code: str, name: str, call: Call | None = None, **more: Any) -> Any:
        wanted = schemas.RenameArea().load({"code": code, "name": name, **more})
        return self._as(call or caller(), areas.rename, wanted)

    def area(self, code: str, call: Call | None = None) -> Any:
        return self._as(call or caller(), queries.area, code)

    def areas(self, call: Call | None = None, **wanted: Any) -> Any:
        return self._as(call or caller(), queries.areas, schemas.ListAreas().load(wanted))

    def children(self, code: str, **wanted: Any) -> Any:
        loaded = schemas.AreaChildren().load({"code": code, **wanted})
        return self._as(caller(), queries.area_children, loaded)

    def add_department(self, code: str = "water", call: Call | None = None, **more: Any) -> Any:
        wanted = schemas.AddDepartment().load({"code": code, "name": "水务局", **more})
        return self._as(call or caller(), departments.add, wanted)

    def change_department(self, code: str, call: Call | None = None, **changes: Any) -> Any:
        wanted = schemas.ChangeDepartment().load({"code": code, **changes})
        return self._as(call or caller(), departments.change, wanted)

    def departments(self, call: Call | None = None, **wanted: Any) -> Any:
        loaded = schemas.ListDepartments().load(wanted)
        return self._as(call or caller(), queries.departments, loaded)

    def department_clerks(self, code: str, call: Call | None = None, **wanted: Any) -> Any:
        loaded = personal_schemas.DepartmentClerks().load({"code": code, **wanted})
        return self._as(call or caller(), clerks.of_department, self.vault, loaded)

    def register(self, name: str = "王小明", call: Call | None = None, **more: Any) -> Any:
        wanted = schemas.RegisterResident().load({"name": name, **more})
        return self._as(call or caller(), people.register, self.vault, wanted)

    def ensure(self, phone: str, call: Call | None = None, **more: Any) -> str:
        wanted = schemas.EnsureResident().load({"phone": phone, **more})
        ensure = partial(people.ensure, hold=HOLD)
        found = self._as(call or Call(), ensure, self.vault, wanted)
        return str(found["id"])

    def amend(self, resident: str, call: Call | None = None, **changes: Any) -> Any:
        wanted = schemas.AmendResident().load({"id": resident, **changes})
        return self._as(call or caller(), people.amend, self.vault, wanted)

    def resident(self, resident: str, call: Call | None = None) -> Any:
        wanted = schemas.ResidentRef().load({"id": resident})
        return self._as(call or caller(), queries.resident, self.vault, wanted["id"])

    def find(self, call: Call | None = None, **wanted: Any) -> Any:
        loaded = schemas.FindResidents().load(wanted)
        return self._as(call or caller(), queries.residents, self.vault, loaded)

    def contact(self, resident: str, call: Call | None = None, **more: Any) -> Any:
        wanted = personal_schemas.Contact().load({"id": resident, **more})
        asking = call or system_call("notifications")
        return self._as(asking, queries.contact, self.vault, wanted)

    def disclose(self, resident: str, *fields: str, call: Call | None = None, **more: Any) -> Any:
        command = {"id": resident, "fields": list(fields), "reason": "回访", **more}
        wanted = personal_schemas.Disclose().load(command)
        return self._as(call or caller(), queries.disclosure, self.vault, wanted)

    def erase(
        self, resident: str, call: Call | None = None, reason: str | None = "本人申请"
    ) -> Any:
        why = {} if reason is None else {"reason": reason}
        wanted = personal_schemas.Erase().load({"id": resident, **why})
        return self._as(call or caller(), erasing.erase, wanted)

    def consent(self, resident: str, purpose: str = "notices", call: Call | None = None) -> Any:
        wanted = personal_schemas.Consent().load({"id": resident, "purpose": purpose})
        return self._as(call or caller(), consents.give, wanted)

    def withdraw(self, resident: str, consent: str, call: Call | None = None) -> Any:
        wanted = personal_schemas.Withdraw().load({"id": resident, "consent": consent})
        return self._as(call or caller(), consents.withdraw, wanted)

    def consents(self, resident: str, call: Call | None = None, **wanted: Any) -> Any:
        loaded = personal_schemas.Consents().load({"id": resident, **wanted})
        return self._as(call or caller(), consents.history, loaded)

    def export(self, resident: str, call: Call | None = None) -> Any:
        person = schemas.ResidentRef().load({"id": resident})["id"]
        return self._as(call or caller(), export.of_resident, self.vault, person)

    def audit(self, call: Call | None = None, **wanted: Any) -> Any:
        loaded = personal_schemas.ListAudit().load(wanted)
        return self._as(call or caller(), audit_trail.entries, loaded)

    def audit_of(self, resident: str, call: Call | None = None, **wanted: Any) -> Any:
        loaded = personal_schemas.ResidentAudit().load({"id": resident, **wanted})
        return self._as(call or caller(), audit_trail.of_resident, loaded)

    def rows(self, table: str) -> list[str]:
        """Every row of a table as text."""
        return list(self.session.scalars(text(f"SELECT t::text FROM {table} t")))

    def register_household(
        self, area: str, door: str, call: Call | None = None, **more: Any
    ) -> Any:
        command = {"area": area, "door": door, **more}
        wanted = household_schemas.RegisterHousehold().load(command)
        return self._as(call or caller(), households.register, self.vault, wanted)

    def amend_household(self, household: str, call: Call | None = None, **changes: Any) -> Any:
        wanted = household_schemas.AmendHousehold().load({"id": household, **changes})
        return self._as(call or caller(), households.amend, self.vault, wanted)

    def close_household(
        self, household: str, to: str | None = None, call: Call | None = None
    ) -> Any:
        wanted = household_schemas.CloseHousehold().load({"id": household, "to": to})
        return self._as(call or caller(), households.close, self.vault, wanted)

    def household(self, household: str, call: Call | None = None) -> Any:
        wanted = household_schemas.HouseholdRef().load({"id": household})
        return self._as(call or caller(), household_queries.household, self.vault, wanted["id"])

    def households(self, call: Call | None = None, **wanted: Any) -> Any:
        loaded = household_schemas.ListHouseholds().load(wanted)
        return self._as(call or caller(), household_queries.households, self.vault, loaded)

    def move_in(self, household: str, resident: str, call: Call | None = None, **more: Any) -> Any:
        command = {"household": household, "resident": resident, **more}
        wanted = household_schemas.MoveIn().load(command)
        return self._as(call or caller(), members.move_in, wanted)

    def move_out(
        self, household: str, member: str, to: str | None = None, call: Call | None = None
    ) -> Any:
        command = {"household": household, "id": member, "to": to}
        wanted = household_schemas.MoveOut().load(command)
        return self._as(call or caller(), members.move_out, wanted)

    def amend_member(self, household: str, member: str, relation: str) -> Any:
        command = {"household": household, "id": member, "relation": relation}
        return self._as(caller(), members.amend, household_schemas.AmendMember().load(command))

    def members(self, household: str, call: Call | None = None, **wanted: Any) -> Any:
        loaded = household_schemas.HouseholdMembers().load({"household": household, **wanted})
        return self._as(call or caller(), household_queries.members, self.vault, loaded)

    def homes(self, resident: str, call: Call | None = None, **wanted: Any) -> Any:
        loaded = household_schemas.ResidentHouseholds().load({"id": resident, **wanted})
        return self._as(call or caller(), household_queries.homes, loaded)

    def coverage(self, area: str, call: Call | None = None, **wanted: Any) -> Any:
        loaded = household_schemas.Coverage().load({"area": area, **wanted})
        return self._as(call or caller(), coverage.coverage, loaded)

    def give_care_tag(self, resident: str, tag: str, call: Call | None = None, **more: Any) -> Any:
        wanted = care_schemas.GiveCareTag().load({"id": resident, "tag": tag, **more})
        return self._as(call or caller(), care_commands.give, self.vault, wanted)

    def end_care_tag(self, resident: str, care_tag: str, call: Call | None = None) -> Any:
        wanted = care_schemas.EndCareTag().load({"id": resident, "care_tag": care_tag})
        return self._as(call or caller(), care_commands.end, self.vault, wanted)

    def care_tags(self, call: Call | None = None, **wanted: Any) -> Any:
        loaded = care_schemas.ListCareTags().load(wanted)
        return self._as(call or caller(), care_queries.in_area, loaded)

    def care_tags_of(self, resident: str, call: Call | None = None, **wanted: Any) -> Any:
        loaded = care_schemas.ResidentCareTags().load({"id": resident, **wanted})
        return self._as(call or caller(), care_queries.of_resident, self.vault, loaded)

    def start_duty(self, person: str, role: str, call: Call | None = None, **more: Any) -> Any:
        command = {"person": person, "role": role, "from": "2026-11-01", **more}
        return self._as(call or caller(), duties.start, schemas.StartDuty().load(command))

    def end_duty(self, duty: str, to: str | None, call: Call | None = None) -> Any:
        wanted = schemas.EndDuty().load({"id": duty, "to": to})
        return self._as(call or caller(), duties.end, wanted)

    def duties(self, call: Call | None = None, **wanted: Any) -> Any:
        return self._as(call or caller(), queries.duties, schemas.ListDuties().load(wanted))

    def events(self, noun: str = "") -> list[Mapping[str, Any]]:
        """The events stored so far, oldest first, as consumers will see them, with their key."""
        rows = self.session.execute(select(outbox).order_by(outbox.c.id))
        events = [json.loads(row.body) | {"key": row.routing_key} for row in rows]
        return [event for event in events if event["type"].split(".")[2].startswith(noun)]

    def events_of(self, subject: str) -> list[Mapping[str, Any]]:
        """The events about one thing, oldest first."""
        return [event for event in self.events() if event["subject"] == subject]
