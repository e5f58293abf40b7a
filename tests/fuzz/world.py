"""Who is fuzzed, and who makes things for them to be about."""

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from chassis import clock
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
LONG_AGO = "2020-01-01"


@dataclass(frozen=True)
class Seed:
    """What to put into a request: into its path, over its body, and over those headers and
    parameters of its query that it has. `whole`: the body is all of it; `once`: it can be used
    with success only once.
    """

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    whole: bool = False
    once: bool = True


Makers = Mapping[str, Callable[[], Seed]]
"""What an operation is asked about, by its name."""


class World:
    """One role among the demo's people; `client` is the one it asks with."""

    def __init__(self, community: Community, role: str, token: str | None) -> None:
        self.role = role
        self.client = Client(community.url, token)
        self.community = community
        # Apart from what other roles and earlier runs have made.
        self._digit = [*ROLES].index(role) + 1
        self._numbers = itertools.count(int(time.time() * 1000) % 10**7)

    @property
    def administrator(self) -> Client:
        """Makes places, people and what is theirs."""
        return self.community.administrators_key

    @property
    def clerk(self) -> Client:
        """Moves tickets on."""
        return self.community.staff("staff")

    @property
    def secretary(self) -> Client:
        """Excludes tickets, and gives care tags."""
        return self.community.staff("secretary")

    @cached_property
    def resident(self) -> Client:
        """Files tickets: the role itself if it is the resident."""
        if self.role == "resident":
            return self.client
        return Client(self.community.url, self.community.ready["resident"])

    @property
    def sees_themselves_only(self) -> bool:
        """Whether in the register."""
        return self.role in ("resident", "department_clerk")

    @cached_property
    def own_id(self) -> str:
        """Of the person whose role it is."""
        return str(self.client.read("sessions/current")["actor"]["id"])

    def new_person(self) -> str:
        """Somebody whom nobody knew, in the resident's building."""
        body = {"name": "王芳", "phone": self.phone(), "area": BUILDING}
        return str(self.administrator.make("residents", body)["id"])

    def person(self) -> str:
        """Somebody whom the role may see."""
        return self.own_id if self.sees_themselves_only else self.new_person()

    def tag_of(self, path: str) -> dict[str, str]:
        """If-Match for what is there, as the role sees it; nothing if they do not."""
        # In the language of whoever names none: the tag is of the answer.
        found = self.client.get(path, headers={"Accept-Language": None}).headers.get("ETag")
        return {"If-Match": found} if found else {}

    def name(self) -> str:
        """A word that is a login, a department's code, and what stands on a door."""
        return f"fuzz_{self._digit}{next(self._numbers)}"

    def short(self) -> int:
        """A number such as an area's code has."""
        return self._digit * 10_000 + next(self._numbers) % 10_000

    def phone(self) -> str:
        """One that is nobody's."""
        return f"138{self._digit}{next(self._numbers) % 10**7:07}"


def today() -> date:
    """In +08:00."""
    return clock.local(clock.now()).date()


def this_month() -> dict[str, str]:
    """Days that make a period, for a query."""
    until = today()
    first = until - timedelta(days=30)
    return {"from": first.isoformat(), "to": until.isoformat(), "as_of": until.isoformat()}


def token_of(community: Community, role: str) -> str | None:
    """Sign a role in; a machine gets a key of its own, with every scope."""
    if role == "anonymous":
        return None
    if role == "resident":
        return str(community.ready["resident"])
    person = community.staff(ROLES[role])
    if role != "machine":
        return person.token
    administrator = community.administrators_key
    scopes = administrator.read("sessions/current")["scopes"]
    key = {"name": "machine", "owner": {"person": person.id}, "scopes": scopes}
    return str(administrator.make("api-keys", key)["token"])
