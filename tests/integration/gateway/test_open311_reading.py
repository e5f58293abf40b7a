"""Requests as Open311 reads them, whatever is away."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from chassis.testing import eventually
from tests.integration.gateway.open311 import ROOT, errors, file, one, read, report, send
from tests.integration.gateway.test_neighbours_away import away
from tests.integration.gateway.town import COMMUNITY


def test_requests_are_found_by_what_the_standard_has(town):
    made = [file(town.resident, service_code="roads.pothole") for _ in range(3)]
    mine = ",".join(made)

    def found(**params):
        items = read(town.nobody, "requests.json", **params)
        return [each["service_request_id"] for each in items]

    assert sorted(found(service_request_id=mine)) == sorted(made)
    assert found(service_request_id=f"{made[0]},nothing,{uuid4()}") == made[:1]
    potholes = found(service_code="roads.pothole,roads.other")
    assert potholes[:3] == made[::-1]
    assert set(made) <= set(found(status="open", jurisdiction_id=COMMUNITY))
    assert not set(made) & set(found(status="closed"))
    assert not set(made) & set(found(end_date="2026-01-01T00:00:00Z"))
    pages = [found(service_code="roads.pothole", page=page, page_size=1) for page in (1, 2, 3)]
    assert [request for page in pages for request in page] == made[::-1]


def test_changes_are_found_by_when_they_were_made(town):
    request = file(town.resident)
    since = one(town.nobody, request)["updated_datetime"]
    ticket = town.clerk.get(f"tickets/{request}").json()
    town.clerk.move(ticket, "acceptance")

    found = read(town.nobody, "requests.json", updated_after=since)

    mine = [each for each in found if each["service_request_id"] == request]
    assert [each["status_notes"] for each in mine] == ["Accepted"]
    moments = [datetime.fromisoformat(each["updated_datetime"]) for each in found]
    assert moments == sorted(moments)
    assert mine[0]["updated_datetime"] == one(town.nobody, request)["updated_datetime"]
    past = {"updated_before": since, "updated_after": "2026-10-01"}
    assert request not in {
        each["service_request_id"] for each in read(town.nobody, "requests.json", **past)
    }


def test_what_is_written_down_late_is_told_to_whoever_polls(town):
    archive = town.key({"person": town.ids["clerk"]}, "tickets:read", "tickets:write", "import")
    now = datetime.now(UTC)
    yesterday = (now - timedelta(days=1)).isoformat(timespec="seconds")
    filed = town.file(archive, occurred_at=yesterday, visibility="public")

    hour = (now - timedelta(hours=1)).isoformat(timespec="seconds")
    found = read(town.nobody, "requests.json", updated_after=hour)

    (mine,) = [each for each in found if each["service_request_id"] == filed["id"]]
    assert datetime.fromisoformat(mine["requested_datetime"]) == datetime.fromisoformat(yesterday)
    assert datetime.fromisoformat(mine["updated_datetime"]) > datetime.fromisoformat(hour)


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-11-01T00:00:00Z"}, 400),
        ({"start_date": "yesterday"}, 400),
        ({"status": "sleeping"}, 400),
        ({"page": "0"}, 400),
        ({"page_size": "1001"}, 400),
        ({"page": "11"}, 400),
        ({"jurisdiction_id": "sfgov.org"}, 404),
        ({"service_request_id": ",".join(str(n) for n in range(201))}, 400),
    ],
)
def test_what_cannot_be_asked_is_refused(town, params, status):
    errors(town.nobody.get(f"{ROOT}/requests.json", params=params), status)
    errors(town.nobody.get(f"{ROOT}/requests.xml", params=params), status)


def test_a_service_that_is_no_code_is_named_in_the_standards_words(town):
    told = town.nobody.get(f"{ROOT}/requests.json", params={"service_code": "roads.other,水"})

    (description,) = errors(told, 400)
    assert description.startswith("service_code: ")


def test_a_token_is_the_id_of_its_request(town):
    request = file(town.resident)

    told = read(town.nobody, f"tokens/{request}.json")

    assert told == [{"service_request_id": request, "token": request}]
    errors(town.nobody.get(f"{ROOT}/tokens/{uuid4()}.xml"), 404)


def test_without_tickets_it_is_503_in_the_standards_words_and_one_request_later(town):
    fields, key = report(), {"Idempotency-Key": str(uuid4())}
    with away(town, "tickets"):
        filed = send(town.nobody, fields, headers=key)
        read_ = town.nobody.get(f"{ROOT}/requests.xml")
        found = town.nobody.get(f"{ROOT}/discovery.xml").status_code

    for answer in (filed, read_):
        errors(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0
    assert found == 200
    again = eventually(lambda: _ok(send(town.nobody, fields, headers=key)), within=20)
    assert send(town.nobody, fields, headers=key).json() == again.json()


def _ok(answer):
    return answer if answer.ok else None


def test_without_the_registry_everybody_files_but_who_is_named_by_phone(town):
    with away(town, "residents"):
        request = file(town.nobody)
        named = send(town.nobody, report(phone="13800003113"))

        assert one(town.nobody, request)["status"] == "open"
        errors(named, 503)


def test_other_pages_may_read_it_where_they_may_read_the_api(town):
    answer = town.nobody.get(f"{ROOT}/services.json", headers={"Origin": "https://pages.example"})

    assert answer.headers["Access-Control-Allow-Origin"] == "https://pages.example"
    assert answer.headers["X-Request-Id"]
    assert "RateLimit" in answer.headers
