"""Speaking Open311 to the town, and what its answers hold."""

from xml.etree import ElementTree

from tests.integration.gateway.town import BUILDING, COMMUNITY
from tests.stack.clients import a_word

ROOT = "/open311/v2"
FORM = "application/x-www-form-urlencoded"


def report(**fields):
    """The fields of a request, with words that nobody else has."""
    return {
        "jurisdiction_id": COMMUNITY,
        "service_code": "water.no_supply",
        "address_id": BUILDING,
        "description": f"No water ({a_word()})",
        **fields,
    }


def send(client, fields, path="requests.json", **options):
    return client.request("POST", f"{ROOT}/{path}", data=fields, **options)


def file(client, **fields):
    """File a request; its id."""
    answer = send(client, report(**fields))
    assert answer.status_code == 201, answer.text
    return answer.json()[0]["service_request_id"]


def read(client, path, **params):
    answer = client.get(f"{ROOT}/{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def one(client, request):
    return read(client, f"requests/{request}.json")[0]


def parsed(answer):
    """The root of an answer in XML."""
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    return ElementTree.fromstring(answer.content)  # noqa: S314 - our own answers


def errors(answer, status):
    """The descriptions of an answer that refuses, in either format."""
    assert answer.status_code == status, answer.text
    if answer.headers["Content-Type"] == "application/json; charset=utf-8":
        told = answer.json()
    else:
        root = parsed(answer)
        assert root.tag == "errors"
        told = [{"code": int(e.findtext("code")), "description": e.findtext("description")}
                for e in root.findall("error")]  # fmt: skip
    assert {each["code"] for each in told} == {status}
    return [each["description"] for each in told]


def assigned(town, department="water"):
    """A request that a department has."""
    request = file(town.resident)
    ticket = town.clerk.move(town.clerk.get(f"tickets/{request}").json(), "acceptance")
    town.clerk.move(ticket, "assignment", {"department": department, "note": "Call her first"})
    return request


def updates(client, request):
    told = read(client, "servicerequestupdates.json", service_request_id=request)
    return [(each["status"], each["description"]) for each in told]
