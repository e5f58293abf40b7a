"""The gate: what is served now keeps what the last release promised, and each way not to is told by
the name of what is to blame.
"""

import copy
from datetime import timedelta

import pytest

from chassis import clock
from deploy import contract_gate, contract_release, contracts
from services.gateway import openapi

TODAY = clock.now().date()
RELEASED = contract_release.last()
EVENTS = {name: contracts.event_schema(cls) for name, cls in contracts.event_types().items()}
ASSIGNED = "linli.tickets.ticket_assigned.v1"
DOCUMENT = openapi.document()
TICKET = "components.schemas.Ticket"
LOCATION = "components.schemas.Location"
PARTY = "components.schemas.Party"
FILING = "components.schemas.NewTicket"
# Two paths show what the gate says of any.
PART = {
    "paths": {path: DOCUMENT["paths"][path] for path in ("/api/v1/tickets", "/api/v1/ledger")},
    "components": DOCUMENT["components"],
}
LIST = "paths./api/v1/tickets.get"


def test_events_keep_what_was_released():
    faults = contract_gate.event_faults(contract_gate.events(EVENTS), RELEASED["events"], TODAY)

    assert list(faults) == []


def test_the_api_keeps_what_was_released():
    faults = contract_gate.openapi_faults(contract_gate.api(DOCUMENT), RELEASED["openapi"], TODAY)

    assert list(faults) == []


def test_the_bus_keeps_the_names_that_were_released():
    assert list(contract_gate.bus_faults(contract_gate.bus(), RELEASED["bus"])) == []
    moved = RELEASED["bus"] | {"queue of a department": "{department}.inbox"}

    told = list(contract_gate.bus_faults(contract_gate.bus(), moved))

    assert told == ["queue of a department: was {department}.inbox, is {department}.events"]


def event_faults(change):
    """What the gate says when this change is made to the data of `ticket_assigned`."""
    changed = copy.deepcopy(EVENTS[ASSIGNED])
    change(changed["properties"]["data"])
    now, released = ({ASSIGNED: each} for each in (changed, EVENTS[ASSIGNED]))
    return list(
        contract_gate.event_faults(contract_gate.events(now), contract_gate.events(released), TODAY)
    )


def removed(data):
    data["properties"].pop("number")
    data["required"].remove("number")


def member(name, **said):
    """A change of what is said of one member."""
    return lambda schema: schema["properties"][name].update(said)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (removed, "data.number: is gone"),
        (lambda data: data["required"].remove("number"), "data.number: may be left out now"),
        (member("version", type="string"), 'data.version: was {"type": "integer"}'),
        (member("version", type="number"), "data.version: was"),
        (member("number", type=["string", "null"]), "data.number: was"),
        (member("occurred_at", format="date"), 'data.occurred_at: was {"format": "date-time"'),
        (lambda data: data["properties"]["ticket"].pop("format"), "data.ticket: was"),
        (lambda data: data["properties"]["state"]["enum"].append("paused"), "data.state: was"),
        (lambda data: data["properties"]["state"].pop("enum"), "data.state: was"),
        (
            lambda data: data["properties"]["departments"].update(items={"type": "integer"}),
            "data.departments[]: was",
        ),
    ],
)
def test_a_change_that_breaks_readers_is_told_by_the_name_of_the_field(change, fault):
    (told,) = event_faults(change)

    assert told.startswith(f"{ASSIGNED}.{fault}")


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data["properties"].update(floor={"type": "integer"}),
        lambda data: (data["properties"].update(floor={}), data["required"].append("floor")),
        lambda data: data["properties"]["state"]["enum"].remove("withdrawn"),
        member("previous_department", type="string"),
        member("number", description="said otherwise"),
        member("number", minLength=15),
    ],
)
def test_what_readers_need_not_notice_passes(change):
    assert event_faults(change) == []


@pytest.mark.parametrize(
    ("sunset", "passes"), [(None, False), (TODAY + timedelta(1), False), (TODAY, True)]
)
def test_an_event_type_may_go_when_its_end_was_released_and_has_come(sunset, passes):
    said = {"deprecated": True, "x-sunset": sunset.isoformat()} if sunset else {}
    released = contract_gate.events({ASSIGNED: EVENTS[ASSIGNED] | said})

    faults = list(contract_gate.event_faults({}, released, TODAY))

    gone = f"{ASSIGNED}: is gone, but was not announced as deprecated until then"
    assert faults == ([] if passes else [gone])


def api_faults(change):
    """What the gate says when this change is made to the OpenAPI document."""
    changed = copy.deepcopy(PART)
    change(changed)
    now, released = contract_gate.api(changed), contract_gate.api(PART)
    return list(contract_gate.openapi_faults(now, released, TODAY))


def at(path, change):
    """A change of what is at a dotted path of the document."""

    def changed(document):
        found = document
        for part in path.split("."):
            found = found[part]
        change(found)

    return changed


def parameter(name, change):
    """A change of one parameter of the list of tickets."""
    return at(
        f"{LIST}.parameters",
        lambda found: change(next(each for each in found if each["name"] == name)),
    )


AUTHORITY = {"name": "authority", "in": "query", "required": True, "schema": {"type": "string"}}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (at("paths", lambda paths: paths.pop("/api/v1/ledger")), "GET /api/v1/ledger: is gone"),
        (at("paths./api/v1/tickets", lambda found: found.pop("get")), "GET /api/v1/tickets: is"),
        (
            at(f"{LIST}.responses", lambda found: found.update({"206": found.pop("200")})),
            "GET /api/v1/tickets: no more answers 200",
        ),
        (at(f"{LIST}.responses.200", lambda found: found.pop("content")), "json is gone"),
        (at(LIST, lambda found: found.update(operationId="tickets")), "was list_tickets"),
        (at(f"{LIST}.parameters", lambda found: found.append(AUTHORITY)), "query authority is req"),
        (at(f"{LIST}.parameters", lambda found: found.pop(0)), "is refused now"),
        (parameter("limit", lambda found: found["schema"].update(maximum=100)), "query limit: was"),
        (at(f"{TICKET}.properties", lambda found: found.pop("number")), "answer.number: is gone"),
        (at(f"{TICKET}.required", lambda found: found.remove("number")), "number: may be left out"),
        (at(f"{TICKET}.properties.version", lambda found: found.update(type="string")), "version"),
        (at(f"{TICKET}.properties.state.enum", lambda found: found.append("lost")), "state: was"),
        (at(f"{TICKET}.properties.state", lambda found: found.pop("enum")), "state: was"),
        (at(f"{FILING}.properties.channel.enum", lambda found: found.pop()), "body.channel: was"),
        (at(f"{FILING}.properties", lambda found: found.pop("title")), "body.title: is refused"),
        (at(f"{FILING}.required", lambda found: found.append("title")), "body.title: is required"),
        (at(f"{LOCATION}.properties", lambda found: found.pop("lat")), "location.lat: is "),
        (at(f"{LOCATION}.properties.lat", lambda found: found.update(type="string")), "lat: was"),
    ],
)
def test_a_change_that_breaks_callers_is_told_by_the_name_of_what_is_to_blame(change, fault):
    faults = api_faults(change)

    assert any(fault in told for told in faults), faults


@pytest.mark.parametrize(
    "change",
    [
        at("paths", lambda paths: paths.update({"/api/v1/plots": paths["/api/v1/tickets"]})),
        at(f"{FILING}.properties", lambda found: found.update(floor={"type": "integer"})),
        at(f"{FILING}.properties.channel.enum", lambda found: found.append("fax")),
        at(f"{FILING}.required", lambda found: found.clear()),
        at(f"{TICKET}.properties", lambda found: found.update(floor={"type": "integer"})),
        at(f"{TICKET}.properties.state.enum", lambda found: found.remove("withdrawn")),
        parameter("limit", lambda found: found["schema"].update(maximum=500)),
        at(f"{LIST}.parameters", lambda found: found.append({**AUTHORITY, "required": False})),
        at(f"{LIST}.responses", lambda found: found.pop("403")),
        at(f"{LOCATION}.properties", lambda found: found.update(floor={"type": "integer"})),
        at(f"{PARTY}.properties", lambda found: found.update(floor={"type": "integer"})),
        at(f"{PARTY}.properties.name", lambda found: found.update(maxLength=200)),
    ],
)
def test_what_callers_need_not_notice_passes(change):
    assert api_faults(change) == []


@pytest.mark.parametrize(("sunset", "passes"), [(TODAY + timedelta(1), False), (TODAY, True)])
def test_an_operation_may_go_when_its_end_was_released_and_has_come(sunset, passes):
    said = {"deprecated": True, "x-sunset": sunset.isoformat()}
    old = copy.deepcopy(PART)
    old["paths"]["/api/v1/ledger"]["get"] |= said
    new = copy.deepcopy(PART)
    new["paths"].pop("/api/v1/ledger")

    faults = contract_gate.openapi_faults(contract_gate.api(new), contract_gate.api(old), TODAY)

    assert (list(faults) == []) is passes
