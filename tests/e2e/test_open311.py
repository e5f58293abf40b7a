"""Open311 as a stranger's client sees it, in JSON and in XML: georeport, from PyPI, as it is.

It lists, defines and reads requests, and files none (its own README says so): filing is the
standard's form, sent with the library that georeport itself sends with.
"""

import json

import pytest
import requests
from georeport import GeoReport

from chassis.testing import eventually
from tests.e2e.written import blocks, page, shell
from tests.stack.clients import BUILDING, TIMEOUT, a_word

COMMUNITY = "340603008002"
PAGE = page("docs/howto/open311.md")


@pytest.fixture(params=["json", "xml"])
def reader(request, community, monkeypatch):
    """georeport, reading one of both formats."""
    # Else a proxy of the environment would have its say.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    root = f"{community.url}/open311/v2"
    return GeoReport(root, jurisdiction=COMMUNITY, output_format=request.param)


def file(community, **fields):
    """File a request as the standard says; its id."""
    form = {
        "jurisdiction_id": COMMUNITY,
        "service_code": "water.no_supply",
        "address_id": BUILDING,
        "description": f"No water ({a_word()})",
        **fields,
    }
    answer = requests.post(f"{community.url}/open311/v2/requests.json", form, timeout=TIMEOUT)
    assert answer.status_code == 201, answer.text
    return answer.json()[0]["service_request_id"]


def test_a_stranger_lists_services_and_reads_what_they_ask(reader):
    services = {each["service_code"]: each for each in reader.get_service_list()}

    assert len(services) > 60
    assert services["water.no_supply"]["service_name"] == "停水"
    assert str(services["water.no_supply"]["metadata"]).lower() == "true"
    definition = reader.get_service_definition("water.no_supply")
    asked = definition["attributes"]
    if reader.output_format == "xml":
        asked = asked["attribute"]
    assert [each["code"] for each in asked] == ["since", "flats"]


def test_a_stranger_reads_a_request_as_it_moves_and_water_gets_it(reader, community, water_events):
    words = f"No water on the third floor & <above> ({a_word()})"
    request = file(community, description=words, **{"attribute[flats]": "6"})
    staff, water = community.staff("staff"), community.staff("water")
    told = []

    def look():
        found = reader.get_service_request(request)
        told.append((found["status"], found["status_notes"], found["agency_responsible"]))
        return found

    assert look()["description"] == words
    ticket = staff.move(staff.read(f"tickets/{request}"), "acceptance")
    look()
    ticket = staff.move(ticket, "assignment", {"department": "water"})
    look()
    eventually(lambda: [event["data"]["channel"] for event in water_events.of(ticket)])
    ticket = water.move(ticket, "resolution", {"summary": "A new valve"})
    found = look()

    names = [each and each[0] for _, _, each in told]
    assert [each[:2] for each in told] == [
        ("open", "已登记"),
        ("open", "已受理"),
        ("open", "已派单"),
        ("closed", "已办结待回访"),
    ]
    assert names[:2] == [None, None]
    assert names[2]
    assert found["updated_datetime"] >= found["requested_datetime"]
    (assigned,) = (
        event for event in water_events.of(ticket) if event["type"].endswith("assigned.v1")
    )
    assert assigned["data"]["channel"] == "open311"
    assert words not in str(water_events.of(ticket))


def test_a_stranger_finds_requests_by_what_the_standard_has(reader, community):
    made = [file(community, service_code="roads.pothole") for _ in range(2)]

    def found(**wanted):
        return {each["service_request_id"] for each in reader.get_service_requests(**wanted)}

    assert found(service_request_id=",".join(made)) == set(made)
    assert set(made) <= found(service_code="roads.pothole", status="open")


def test_what_a_stranger_asks_wrongly_is_an_error_of_http(reader):
    with pytest.raises(requests.HTTPError, match="404"):
        reader.get_service_definition("water.wine")
    with pytest.raises(requests.HTTPError, match="404"):
        reader.get_service_request("nothing")
    with pytest.raises(requests.HTTPError, match="400"):
        reader.get_service_requests(status="sleeping")


def test_the_how_to_files_a_request_and_reads_it_with_curl_and_georeport(checkout, environ):
    said = shell("".join(blocks(PAGE, "sh")), checkout, environ)
    (program,) = blocks(PAGE, "python")
    printed = shell(f"python3 -c '{program}'", checkout, environ)

    (request,) = json.loads(next(line for line in said.splitlines() if "extended" in line))
    assert {each["code"]: each["value"] for each in request["attributes"]}["flats"] == 12
    for written in ("requests.xml", "changed.json"):
        assert request["service_request_id"] in (checkout / written).read_text("utf-8")
    assert "<error><code>404</code>" in said
    assert "停水 已登记" in printed
