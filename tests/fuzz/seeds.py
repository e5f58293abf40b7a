"""Things for requests to be about: tickets in every state, people, places, duties, keys. Each is
made over the API when it is first asked for, and made anew once a request has used it up.
"""

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tests.stack.clients import BUILDING, Client, Community

ROLES: Mapping[str, str] = {
    "anonymous": "anonymous",
    "resident": "resident",
    "grid_worker": "grid_worker",
    "clerk": "staff",
    "secretary": "secretary",
    "department_clerk": "water",
    "machine": "secretary",
    "administrator": "administrator",
}
"""Who is fuzzed, and by whose sign-in; the last may end other people's duties."""
COMMUNITY = "340603008002"
GRID = f"{COMMUNITY}.e1.g1"
STEPS: Mapping[str, tuple[str, ...]] = {
    "filed": (),
    "accepted": ("acceptance",),
    "assigned": ("acceptance", "assignment"),
    "resolved": ("acceptance", "assignment", "resolution"),
}
STATE_FOR: Mapping[str, str] = {
    "assign_ticket": "accepted",
    "start_work": "assigned",
    "send_back_ticket": "assigned",
    "resolve_ticket": "assigned",
    "rate_ticket": "resolved",
    "reopen_ticket": "resolved",
}
"""In which state a ticket must be for an operation to succeed; `filed` for the others."""


@dataclass(frozen=True)
class Seed:
    """What to put into a request. `whole`: the body is all of it; `once`: it can be used with
    success only once.
    """

    path: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    whole: bool = False
    once: bool = True


class Seeds:
    """The things of one role."""

    def __init__(self, community: Community, role: str, token: str | None) -> None:
        self.role = role
        self.client = Client(community.url, token)
        self._community = community
        # Apart from what other roles and earlier runs have made.
        self._numbers = itertools.count(int(time.time() * 1000) % 10**8)
        self._kept: dict[str, Seed] = {}
        self._makers: Mapping[str, Callable[[], Seed]] = {
            "sign_in": self._credentials,
            "sign_out": self._another_session,
            "end_session": lambda: Seed(path=self._another_session().path),
            "create_account": lambda: Seed(body={"person": self._person(), "login": self._name()}),
            "make_api_key": lambda: Seed(body={"owner": {"person": self._person()}}),
            "get_api_key": self._key,
            "revoke_api_key": self._key,
            "add_area": lambda: Seed(body={"code": f"{COMMUNITY}.e{self._short()}"}),
            "rename_area": lambda: Seed(path={"code": self._area()}, once=False),
            "add_department": lambda: Seed(body={"code": self._name()}),
            "change_department": lambda: Seed(path={"code": self._department()}, once=False),
            "start_duty": self._new_duty,
            "get_duty": self._duty,
            "end_duty": self._duty,
            "register_resident": lambda: Seed(body={"phone": self._phone(), "id_number": None}),
            "get_resident": self._resident,
            "amend_resident": self._resident,
            "mark_read": self._message,
        }

    def of(self, operation: str, path: str) -> Seed:
        """What to ask an operation about, the same until it is used up."""
        if operation not in self._kept:
            self._kept[operation] = self._made(operation, path)
        return self._kept[operation]

    def used(self, operation: str) -> None:
        """A command has succeeded."""
        if (seed := self._kept.get(operation)) and seed.once:
            del self._kept[operation]

    def _made(self, operation: str, path: str) -> Seed:
        if maker := self._makers.get(operation):
            return maker()
        if path.startswith("/api/v1/tickets/{id}"):
            return self._ticket(STATE_FOR.get(operation, "filed"))
        if "{code}" in path:
            code = BUILDING if "/areas/" in path else "water"
            return Seed(path={"code": code}, once=False)
        if "{id}" in path:
            return self._first_of(path.partition("/{id}")[0])
        return Seed(once=False)

    # Tickets: filed by the resident, and moved on by staff to whoever the role is.

    def _ticket(self, state: str) -> Seed:
        ticket = self._resident_client.file(visibility="public")
        for move in STEPS[state]:
            who, body = self._mover(move)
            ticket = who.move(ticket, move, body)
        seen = self.client.get(f"tickets/{ticket['id']}")
        etag = seen.headers.get("ETag") or f'"{ticket["version"]}"'
        # Of those that may be named the department will do for everybody.
        whom = {"department": "water", "assignee": None} if state == "accepted" else {}
        return Seed(path={"id": ticket["id"]}, headers={"If-Match": etag}, body=whom)

    def _mover(self, move: str) -> tuple[Client, dict[str, Any]]:
        if move == "acceptance":
            return self._clerk, {}
        if move == "assignment":
            return self._clerk, self._to_us
        return self._holder, {"summary": "done"}

    @cached_property
    def _to_us(self) -> dict[str, Any]:
        if self.role in ("grid_worker", "clerk", "secretary", "machine"):
            return {"assignee": self.client.read("sessions/current")["actor"]["id"]}
        return {"department": "water"}

    @cached_property
    def _holder(self) -> Client:
        return self.client if "assignee" in self._to_us else self._community.staff("water")

    # The registry: made by the administrator.

    @property
    def _administrator(self) -> Client:
        return self._community.administrators_key

    @property
    def _clerk(self) -> Client:
        return self._community.staff("staff")

    @property
    def _resident_client(self) -> Client:
        return self._community.resident()

    def _person(self) -> str:
        body = {"name": "王芳", "phone": self._phone(), "area": BUILDING}
        return str(self._administrator.make("residents", body)["id"])

    def _resident(self) -> Seed:
        own = self.role in ("resident", "grid_worker", "department_clerk")
        person = self._own_id if own else self._person()
        return Seed(path={"id": person}, once=False)

    @cached_property
    def _own_id(self) -> str:
        return str(self.client.read("sessions/current")["actor"]["id"])

    def _area(self) -> str:
        body = {"code": f"{COMMUNITY}.e{self._short()}", "name": "小区"}
        return str(self._administrator.make("areas", body)["code"])

    def _department(self) -> str:
        body = {"code": self._name(), "name": "部门"}
        return str(self._administrator.make("departments", body)["code"])

    def _new_duty(self) -> Seed:
        place = {"role": "grid_worker", "area": GRID, "department": None}
        dates = {"from": "2026-01-01", "to": None}
        return Seed(body={"person": self._person(), **place, **dates}, whole=True)

    def _duty(self) -> Seed:
        duty = {"role": "grid_worker", "area": GRID, "from": "2026-01-01"}
        made = self._administrator.make("duties", {"person": self._person(), **duty})
        return Seed(path={"id": made["id"]}, body={"to": "2026-12-31"}, once=False)

    def _key(self) -> Seed:
        body = {"name": "key", "owner": {"department": "water"}, "scopes": ["tickets:read"]}
        return Seed(path={"id": self._administrator.make("api-keys", body)["id"]})

    def _message(self) -> Seed:
        found = self.client.get("inbox").json().get("items") or [{"id": self._own_id}]
        return Seed(path={"id": found[0]["id"]}, once=False)

    def _first_of(self, collection: str) -> Seed:
        """Of a thing that this file knows nothing of: the first of its list."""
        answer = self.client.get(collection)
        items = answer.json().get("items") if answer.ok else None
        return Seed(path={"id": items[0]["id"]} if items else {}, once=False)

    # Sessions: never the one that the role speaks with.

    def _credentials(self) -> Seed:
        name = ROLES[self.role]
        known = self._community.ready["sign_ins"].get(name, {})
        if "login" not in known:
            known = self._community.ready["sign_ins"]["secretary"]
        return Seed(body=known, whole=True, once=False)

    def _another_session(self) -> Seed:
        if self.role in ("anonymous", "machine"):
            return Seed(once=False)
        other = self._signed_in()
        current = other.read("sessions/current")["id"]
        return Seed(path={"id": current}, headers={"Authorization": f"Bearer {other.token}"})

    def _signed_in(self) -> Client:
        people = Community(self._community.ready)
        return people.resident() if self.role == "resident" else people.staff(ROLES[self.role])

    def _name(self) -> str:
        return f"fuzz_{next(self._numbers)}"

    def _short(self) -> int:
        return 1 + next(self._numbers) % 99_999

    def _phone(self) -> str:
        return f"138{next(self._numbers):08}"


def token_of(community: Community, role: str) -> str | None:
    """Sign a role in; a machine gets a key of its own, with every scope."""
    if role == "anonymous":
        return None
    if role == "resident":
        return community.resident().token
    person = community.staff(ROLES[role])
    if role != "machine":
        return person.token
    administrator = community.administrators_key
    scopes = administrator.read("sessions/current")["scopes"]
    key = {"name": "machine", "owner": {"person": person.id}, "scopes": scopes}
    return str(administrator.make("api-keys", key)["token"])
