"""The resources of Open311 GeoReport v2 and of its extension for updates."""

import re
from dataclasses import replace
from typing import Any

from chassis import clock
from chassis.call import Grant
from chassis.errors import NotFound
from services.gateway import parties
from services.gateway.api.capability import Capability
from services.gateway.exchange import Ask
from services.gateway.idempotency import Scope
from services.gateway.open311 import forms, translation, words
from services.gateway.open311.discovery import discovery
from services.gateway.open311.entry import PREFIX, georeport
from services.gateway.open311.formats import Document
from services.gateway.schemas.fields import UUID_PATTERN

# Everybody reads what is public, also whoever shows a key that may only write.
_PUBLIC = Grant("public", frozenset({"read"}))


class Open311(Capability):
    """Anybody files and reads what is public; who may see and do more is for tickets to say."""

    @georeport("GET", "/discovery")
    def discover(self, ask: Ask) -> Document:
        """Where what is spoken, and how to get a key."""
        contact = self.gate.settings.api_contact
        return Document("discovery", discovery(f"{ask.request.host_url}{PREFIX[1:]}", contact))

    @georeport("GET", "/services", query=forms.Jurisdiction)
    def list_services(self, ask: Ask) -> Document:
        """What can be filed."""
        _check_jurisdiction(self, ask)
        return Document("services", translation.services(_categories(self, ask)))

    @georeport("GET", "/services/<code>", query=forms.Jurisdiction)
    def define_service(self, ask: Ask) -> Document:
        """What a service asks besides."""
        _check_jurisdiction(self, ask)
        leaf = next((each for each in _categories(self, ask) if _is(each, ask.path["code"])), None)
        if leaf is None:
            raise NotFound()
        return Document("service_definition", translation.definition(leaf))

    @georeport("POST", "/requests", policy="file", body=forms.RequestForm, rate="anonymous_filing")
    def file_request(self, ask: Ask) -> Document:
        """File a request."""
        form = ask.body
        where = {"jurisdiction": form.get("jurisdiction_id"), "address": form.get("address_id")}
        given = {name: code for name, code in where.items() if code}
        area = ask.of(self.tickets).filing_place(given)["code"]
        filing = translation.filing(form, area)
        if "description" not in filing:
            filing["description"] = _name_of(self, ask, filing["category"])
        filing |= parties.known(self, ask, filing)
        ticket = ask.of(self.tickets).file_ticket(filing)
        filed = {
            "service_request_id": ticket["id"],
            "service_notice": words.notice(ticket, ask.request.locale),
            "account_id": None,
        }
        return Document("service_requests", [filed])

    @georeport("GET", "/requests", query=forms.RequestsQuery)
    def list_requests(self, ask: Ask) -> Document:
        """Requests of a period, or some by their ids."""
        _check_jurisdiction(self, ask)
        found = _reading(ask).of(self.tickets).recent_requests(_requests(ask.query))
        return _told(self, ask, found["items"])

    @georeport("GET", "/requests/<id>", query=forms.OneRequestQuery)
    def read_request(self, ask: Ask) -> Document:
        """One request."""
        _check_jurisdiction(self, ask)
        wanted = {"ids": [ask.path["id"]]}
        found = _reading(ask).of(self.tickets).recent_requests(wanted)["items"]
        if not found:
            raise NotFound()
        return _told(self, ask, found)

    @georeport("GET", "/tokens/<token>", query=forms.Jurisdiction)
    def read_token(self, ask: Ask) -> Document:
        """The request of a token: nothing waits here for its id, which is its token."""
        _check_jurisdiction(self, ask)
        token = ask.path["token"]
        ticket = _reading(ask).of(self.tickets).get_ticket({"id": token})
        found = {"service_request_id": ticket["id"], "token": token}
        return Document("service_requests", [found])

    @georeport("GET", "/servicerequestupdates", query=forms.UpdatesQuery)
    def list_updates(self, ask: Ask) -> Document:
        """What has happened to requests in a period."""
        _check_jurisdiction(self, ask)
        found = _reading(ask).of(self.tickets).recent_updates(_updates(ask.query))
        told = [translation.update(change, ask.request.locale) for change in found["items"]]
        return Document("service_request_updates", told)

    @georeport("POST", "/servicerequestupdates", policy="comments", body=forms.UpdateForm)
    def send_update(self, ask: Ask) -> Document:
        """Say something of a request that one has, or that it is done."""
        _check_jurisdiction(self, ask)
        form = ask.body
        request = _id_of(self, ask, form["service_request_id"])
        ask = _once(ask, request, form.get("update_id"))
        said = {"text": form["description"], "done": form["done"]}
        change = ask.of(self.tickets).report({"id": request, **said})
        told = [{"update_id": translation.update_id(change)}]
        return Document("service_request_updates", told)


def _reading(ask: Ask) -> Ask:
    return replace(ask, call=replace(ask.call, grants=(*ask.call.grants, _PUBLIC)))


def _check_jurisdiction(service: Any, ask: Ask) -> None:
    """Raises NotFound for one that is not here."""
    if code := (ask.query | ask.body).get("jurisdiction_id"):
        ask.of(service.tickets).jurisdiction({"jurisdiction": code})


def _categories(service: Any, ask: Ask) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask.of(service.tickets).categories({})["items"]
    return found


def _is(category: dict[str, Any], code: str) -> bool:
    return bool(category["parent"]) and category["code"] == code


def _name_of(service: Any, ask: Ask, code: str) -> str:
    """What is said by whoever says nothing, which the standard allows."""
    names = {each["code"]: str(each["name"]) for each in _categories(service, ask)}
    return names.get(code, code)


def _told(service: Any, ask: Ask, tickets: list[dict[str, Any]]) -> Document:
    categories = None
    if ask.query["extensions"]:
        categories = {each["code"]: each for each in _categories(service, ask)}
    locale = ask.request.locale
    requests = [translation.request(ticket, locale, categories) for ticket in tickets]
    return Document("service_requests", requests)


def _requests(asked: dict[str, Any]) -> dict[str, Any]:
    """Which tickets are asked for. Ids say all of it."""
    if ids := asked.get("service_request_id"):
        return {"ids": ids, "limit": forms.MOST}
    wanted: dict[str, Any] = forms.place(asked)
    wanted |= {"area": asked["jurisdiction_id"]} if "jurisdiction_id" in asked else {}
    wanted |= {"categories": asked["service_code"]} if "service_code" in asked else {}
    wanted |= {"state": words.states(asked["status"])} if "status" in asked else {}
    if "updated_after" in asked or "updated_before" in asked:
        return {**wanted, **_between("recorded", asked, "updated_after", "updated_before")}
    return {**wanted, **_between("filed", asked, "start_date", "end_date")}


def _updates(asked: dict[str, Any]) -> dict[str, Any]:
    wanted: dict[str, Any] = forms.place(asked)
    wanted |= {"area": asked["jurisdiction_id"]} if "jurisdiction_id" in asked else {}
    wanted |= {"ids": asked["service_request_id"]} if "service_request_id" in asked else {}
    return {**wanted, **_between("recorded", asked, "start_date", "end_date")}


def _between(what: str, asked: dict[str, Any], first: str, last: str) -> dict[str, str]:
    start, end = forms.period(asked.get(first), asked.get(last), clock.now())
    return {f"{what}_from": clock.iso(start), f"{what}_until": clock.iso(end)}


def _id_of(service: Any, ask: Ask, reference: str) -> str:
    """The id of the request with this id or number: one request by either of them."""
    if re.fullmatch(UUID_PATTERN, reference):
        return reference.lower()
    return str(_reading(ask).of(service.tickets).get_ticket({"id": reference})["id"])


def _once(ask: Ask, request: str, update: str | None) -> Ask:
    """The same update of the same system is one command for ever."""
    if update is None:
        return ask
    whose = f"{ask.caller.kind} {ask.caller.id}"
    scope = Scope(whose, "POST", f"{PREFIX}/servicerequestupdates/{request}", update)
    return replace(ask, call=replace(ask.call, command_id=str(scope.command_id())))
