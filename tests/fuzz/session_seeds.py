"""Sessions, accounts and API keys: never those that the role speaks with."""

from tests.fuzz.world import ROLES, Makers, Seed, World
from tests.stack.clients import Client, Community


class SessionSeeds:
    """What one role signs in with, and what it may sign out."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.makers: Makers = {
            "request_code": lambda: Seed(body={"phone": world.phone()}),
            "sign_in": self._credentials,
            "sign_out": self._another_session,
            "end_session": lambda: Seed(path=self._another_session().path),
            "create_account": self._account,
            "make_api_key": lambda: Seed(body={"owner": {"person": world.new_person()}}),
            "get_api_key": self._key,
            "revoke_api_key": self._key,
        }

    def _credentials(self) -> Seed:
        known = self._world.community.ready["sign_ins"]
        who = known.get(ROLES[self._world.role], {})
        return Seed(body=who if "login" in who else known["secretary"], whole=True, once=False)

    def _another_session(self) -> Seed:
        if self._world.role in ("anonymous", "machine"):
            return Seed(once=False)
        other = self._signed_in()
        current = other.read("sessions/current")["id"]
        return Seed(path={"id": current}, headers={"Authorization": f"Bearer {other.token}"})

    def _signed_in(self) -> Client:
        people = Community(self._world.community.ready)
        role = self._world.role
        return people.resident() if role == "resident" else people.staff(ROLES[role])

    def _account(self) -> Seed:
        return Seed(body={"person": self._world.new_person(), "login": self._world.name()})

    def _key(self) -> Seed:
        body = {"name": "key", "owner": {"department": "water"}, "scopes": ["tickets:read"]}
        return Seed(path={"id": self._world.administrator.make("api-keys", body)["id"]})
