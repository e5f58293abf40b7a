"""`categories`: the tree of what requests are about."""

from typing import Any

from services.gateway.api.capability import Capability
from services.gateway.exchange import Ask
from services.gateway.operation import operation
from services.gateway.schemas import ticket_answers as answers
from services.gateway.schemas.common import list_of


class Categories(Capability):
    """Everybody may look."""

    @operation("GET", "/categories", policy="categories.read", answer=list_of(answers.Category))
    def list_categories(self, ask: Ask) -> Any:
        """The whole tree, groups before their leaves."""
        return ask.of(self.tickets).categories({})
