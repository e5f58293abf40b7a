"""Who a filing is from and for, as it says: found in the register, or made known to it."""

from collections.abc import Mapping
from typing import Any

from chassis.errors import Forbidden
from services.gateway import tokens
from services.gateway.exchange import Ask


def known(service: Any, ask: Ask, filing: Mapping[str, Any]) -> dict[str, Any]:
    """Who speaks and for whom, by id: whoever is given by phone becomes known to the registry,
    unless the filing would be refused.
    """
    told = {role: filing.get(role) for role in ("reporter", "on_behalf_of")}
    given = {role: party for role, party in told.items() if party}
    only_known = True
    if any("phone" in party for party in given.values()):
        nameless = {field: value for field, value in filing.items() if field not in told}
        only_known = not ask.of(service.tickets).may_file(nameless)["on_behalf"]
    return {role: _party(service, ask, party, only_known) for role, party in given.items()}


def _party(service: Any, ask: Ask, party: dict[str, str], only_known: bool) -> dict[str, str]:
    """The party as tickets knows it; `only_known`: if they are known already. Raises Forbidden,
    RateExceeded, Unavailable.
    """
    # Nobody in person: somebody without a session, or a department's own system.
    stranger = ask.caller.kind != "person"
    if "resident" in party:
        # An id is no proof of knowing somebody.
        if stranger:
            raise Forbidden()
        return party
    if stranger and not ask.caller.may_import():
        _count_phone(service, party["phone"])
    found = ask.of(service.residents).ensure_resident({**party, "known": only_known})
    if only_known and found["id"] != ask.caller.id:
        # At the same point for those who are known and those who are not: how long it took would
        # tell.
        raise Forbidden(operation="file_on_behalf")
    return {"resident": found["id"]}


def _count_phone(service: Any, phone: str) -> None:
    """Nobody shall have a stranger's phone ring all day with receipts."""
    digest = tokens.keyed_digest(service.gate.settings.secret, "reporter", phone)
    service.gate.limits.count("anonymous_phone", digest.hex())
