"""Places, departments, duties, people and their households: made by the administrator."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from tests.fuzz.world import COMMUNITY, GRID, LONG_AGO, Makers, Seed, World
from tests.stack.clients import BUILDING

FILES: Mapping[str, str] = {
    "areas": "code,name\n{community}.e{short},小区\n",
    "residents": "name,phone\n王芳,{phone}\n",
    "households": "area,door\n{building},{name}\n",
}
"""What an import takes, by what it is of."""


class RegistrySeeds:
    """What the registry has for one role."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.makers: Makers = {
            "add_area": lambda: Seed(body={"code": self._new_area()}),
            "rename_area": lambda: Seed(path={"code": self._area()}, once=False),
            "add_department": lambda: Seed(body={"code": world.name()}),
            "change_department": lambda: Seed(path={"code": self._department()}, once=False),
            "start_duty": self._new_duty,
            "get_duty": self._duty,
            "end_duty": self._duty,
            "register_household": self._new_household,
            "get_household": self._household,
            "amend_household": self._household_to_amend,
            "close_household": lambda: Seed(self._household().path, body={"to": None}),
            "list_members": self._members,
            "move_in": self._move,
            "amend_member": self._member,
            "move_out": lambda: Seed(self._member().path, body={"to": None}),
            **{f"import_{kind}": partial(self._file, kind) for kind in FILES},
        }

    def imported(self, kind: str) -> Seed:
        """An import of the role's own; nobody sees another's."""
        files = {"file": (f"{kind}.csv", self._file(kind).body["file"])}
        made = self._world.client.request("POST", f"{kind}/imports", files=files)
        return Seed(path={"id": made.json()["id"]} if made.ok else {}, once=False)

    def _new_area(self) -> str:
        return f"{COMMUNITY}.e{self._world.short()}"

    def _area(self) -> str:
        made = {"code": self._new_area(), "name": "小区"}
        return str(self._world.administrator.make("areas", made)["code"])

    def _department(self) -> str:
        made = {"code": self._world.name(), "name": "部门"}
        return str(self._world.administrator.make("departments", made)["code"])

    def _new_duty(self) -> Seed:
        place = {"role": "grid_worker", "area": GRID, "department": None}
        dates = {"from": LONG_AGO, "to": None}
        return Seed(body={"person": self._world.new_person(), **place, **dates}, whole=True)

    def _duty(self) -> Seed:
        duty = {"role": "grid_worker", "area": GRID, "from": LONG_AGO}
        person = self._world.new_person()
        made = self._world.administrator.make("duties", {"person": person, **duty})
        return Seed(path={"id": made["id"]}, body={"to": "2026-12-31"}, once=False)

    def _new_household(self) -> Seed:
        body = {"door": self._world.name(), "area": BUILDING, "head": None, "from": LONG_AGO}
        return Seed(body=body)

    def _made_household(self) -> str:
        made = {"area": BUILDING, "door": self._world.name(), "from": LONG_AGO}
        return str(self._world.administrator.make("households", made)["id"])

    def _household(self) -> Seed:
        household = self._made_household()
        if self._world.sees_themselves_only:
            self._settle(household, self._world.own_id, registered=False)
        return Seed(path={"id": household})

    def _household_to_amend(self) -> Seed:
        path = self._household().path
        tag = self._world.tag_of(f"households/{path['id']}")
        return Seed(path, headers=tag, body={"door": self._world.name(), "area": BUILDING})

    def _members(self) -> Seed:
        household = self._made_household()
        self._settle(household, self._world.person(), registered=False)
        return Seed(path={"household": household}, once=False)

    def _move(self) -> Seed:
        whose = {"resident": self._world.new_person(), "moving": False}
        dates = {"from": LONG_AGO, "to": None}
        return Seed(path={"household": self._made_household()}, body={**whose, **dates})

    def _member(self) -> Seed:
        household = self._made_household()
        member = self._settle(household, self._world.new_person())
        return Seed(path={"household": household, "id": member["id"]})

    def _settle(self, household: str, person: str, **stay: Any) -> dict[str, Any]:
        body = {"resident": person, "from": LONG_AGO, **stay}
        found: dict[str, Any] = self._world.administrator.make(
            f"households/{household}/members", body
        )
        return found

    def _file(self, kind: str) -> Seed:
        world = self._world
        content = FILES[kind].format(
            community=COMMUNITY,
            building=BUILDING,
            short=world.short(),
            phone=world.phone(),
            name=world.name(),
        )
        return Seed(body={"file": content}, whole=True)
