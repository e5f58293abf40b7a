"""Things for requests to be about: tickets in every state, people, places, duties, keys. Each is
made over the API when it is first asked for, and made anew once a request has used it up.
"""

from tests.fuzz.people_seeds import PeopleSeeds
from tests.fuzz.registry_seeds import FILES, RegistrySeeds
from tests.fuzz.session_seeds import SessionSeeds
from tests.fuzz.ticket_seeds import TicketSeeds
from tests.fuzz.webhook_seeds import WebhookSeeds
from tests.fuzz.world import Makers, Seed, World
from tests.stack.clients import BUILDING


class Seeds:
    """The things of one role."""

    def __init__(self, world: World) -> None:
        self._tickets = TicketSeeds(world)
        self._registry = RegistrySeeds(world)
        self._people = PeopleSeeds(world)
        self._kept: dict[str, Seed] = {}
        self._makers: Makers = {
            **self._tickets.makers,
            **self._registry.makers,
            **self._people.makers,
            **SessionSeeds(world).makers,
            **WebhookSeeds(world).makers,
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
        """What is made for it, or else for all that are asked of the same kind of thing."""
        if maker := self._makers.get(operation):
            return maker()
        for kind in FILES:
            if path.startswith(f"/api/v1/{kind}/imports/{{id}}"):
                return self._registry.imported(kind)
        if path.startswith("/api/v1/tickets/{id}"):
            return self._tickets.ticket(operation)
        if path.startswith("/api/v1/residents/{id}"):
            return self._people.resident()
        if "{code}" in path:
            return Seed(path={"code": BUILDING if "/areas/" in path else "water"}, once=False)
        return Seed(once=False)
