"""`rates`, and what does not count in them: `tickets/{id}/exclusion`."""

from typing import Any
from urllib.parse import urlencode

from services.gateway.api.capability import Capability
from services.gateway.exchange import Ask
from services.gateway.operation import PREFIX, operation
from services.gateway.schemas import figures
from services.gateway.schemas import ticket_answers as answers
from services.gateway.schemas import tickets as schemas
from services.gateway.schemas.common import list_of
from services.gateway.texts import CHANNELS


class Figures(Capability):
    """What counts and how is for tickets to say."""

    @operation(
        "GET",
        "/rates",
        policy="figures.read",
        query=schemas.RatesQuery,
        answer=figures.Rates,
    )
    def get_rates(self, ask: Ask) -> Any:
        """How many requests were answered in time, solved, and to their reporters' satisfaction."""
        told = ask.of(self.tickets).rates(ask.command())
        items = [_linked(_named(item, told["by"], ask.call.locale)) for item in told["items"]]
        return {**_linked(told), "items": items}

    @operation(
        "GET",
        "/tickets/<id>/exclusion",
        policy="figures.read",
        answer=list_of(answers.Excluded),
        errors=("404 unknown_ticket",),
        owner_decides=True,
    )
    def list_exclusions(self, ask: Ask) -> Any:
        """In which rates a ticket does not count, by whom and why."""
        return ask.of(self.tickets).exclusions(ask.command())

    @operation(
        "POST",
        "/tickets/<id>/exclusion",
        policy="exclusion",
        body=schemas.Exclusion,
        answer=list_of(answers.Excluded),
        status=201,
        errors=("404 unknown_ticket", "409 already_excluded"),
        owner_decides=True,
    )
    def exclude_ticket(self, ask: Ask) -> Any:
        """Say that a ticket does not count in a rate."""
        return ask.of(self.tickets).exclude(ask.command())

    @operation(
        "DELETE",
        "/tickets/<id>/exclusion",
        policy="exclusion",
        query=schemas.OneRate,
        answer=list_of(answers.Excluded),
        errors=("404 unknown_ticket", "404 not_excluded"),
        owner_decides=True,
    )
    def include_ticket(self, ask: Ask) -> Any:
        """Let a ticket count in a rate again."""
        return ask.of(self.tickets).include(ask.command())


def _named(item: dict[str, Any], by: str, locale: str) -> dict[str, Any]:
    """A group as people call it; tickets has no words for channels."""
    if by != "channel" or locale != "zh-CN":
        return item
    return {**item, "name": CHANNELS.get(item["key"], item["key"])}


def _linked(told: dict[str, Any]) -> dict[str, Any]:
    """Rates, with links to the tickets behind each."""
    rates = {rate: {**told[rate], "links": _links(rate, told["filters"])} for rate in schemas.RATES}
    return {**told, **rates}


def _links(rate: str, filters: dict[str, Any]) -> dict[str, str]:
    # As a query spells what is true.
    spelt = {name: "true" if value is True else value for name, value in filters.items()}
    return {
        part: f"{PREFIX}/tickets?{urlencode({'rate': rate, 'part': part, **spelt})}"
        for part in ("numerator", "denominator", "excluded")
    }
