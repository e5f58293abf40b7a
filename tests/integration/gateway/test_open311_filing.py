"""Requests as Open311 files them, in both formats."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from chassis.testing import eventually
from tests.integration.gateway.open311 import ROOT, errors, file, one, parsed, read, report, send
from tests.integration.gateway.town import BUILDING, COMMUNITY
from tests.stack.clients import a_word


def test_anybody_files_a_request_and_reads_it_back(town):
    words = f"No water since morning ({a_word()})"
    request = file(
        town.nobody,
        description=words,
        lat="33.95",
        long="116.79",
        address_string="Building 1",
        media_url="https://pictures.example/tap.jpg?size=large",
        **{"attribute[flats]": "12", "attribute[since]": "2026-11-01T06:00:00+08:00"},
    )

    told = one(town.nobody, request)
    assert list(told) == [
        *("service_request_id", "status", "status_notes", "service_name", "service_code"),
        *("description", "agency_responsible", "service_notice", "requested_datetime"),
        *("updated_datetime", "expected_datetime", "address", "address_id", "zipcode"),
        *("lat", "long", "media_url"),
    ]
    assert (told["service_request_id"], told["description"]) == (request, words)
    assert (told["status"], told["status_notes"]) == ("open", "Received")
    assert (told["service_code"], told["service_name"]) == ("water.no_supply", "No water")
    assert (told["lat"], told["long"], told["address_id"]) == (33.95, 116.79, BUILDING)
    assert told["media_url"] == "https://pictures.example/tap.jpg?size=large"
    assert "Building 1" not in told["address"]  # A door is for those who have it.
    assert datetime.fromisoformat(told["requested_datetime"]).utcoffset() == timedelta(hours=8)
    ticket = town.clerk.get(f"tickets/{request}").json()
    assert ticket["attributes"] == {"flats": 12, "since": "2026-11-01T06:00:00.000000+08:00"}
    assert (ticket["channel"], ticket["visibility"]) == ("open311", "public")
    assert (ticket["address"], ticket["media_url"]) == ("Building 1", told["media_url"])


def test_the_public_sees_answers_and_pictures_by_the_native_api_too(town):
    filed = town.nobody.make(
        "tickets",
        {
            "category": "water.quality",
            "description": f"Brown water ({a_word()})",
            "area": BUILDING,
            "visibility": "public",
            "attributes": {"signs": ["colour", "smell"]},
            "media_url": "https://pictures.example/brown.jpg",
        },
    )

    told = read(town.nobody, f"requests/{filed['id']}.json", extensions="true")[0]
    assert told["attributes"] == [
        {"code": "signs", "label": "What is wrong with the water?", "value": "colour,smell"}
    ]
    assert told["extended_attributes"] == {
        "number": filed["number"],
        "state": "filed",
        "channel": "page",
    }
    assert told["media_url"] == filed["media_url"] == "https://pictures.example/brown.jpg"
    assert read(town.nobody, f"requests/{filed['number']}.json")[0]["description"]


def test_a_request_moves_until_it_is_closed_and_is_open_again_when_it_is_not_solved(
    town, waters_key
):
    request = file(town.resident)
    told = []

    def look():
        found = one(town.nobody, request)
        told.append((found["status"], found["status_notes"], found["agency_responsible"]))

    ticket = town.clerk.get(f"tickets/{request}").json()
    for client, move, body in (
        (town.clerk, "acceptance", {}),
        (town.clerk, "assignment", {"department": "water"}),
        (town.water_clerk, "work", {}),
        (town.water_clerk, "resolution", {"summary": "A new pipe"}),
    ):
        ticket = client.move(ticket, move, body)
        look()
    town.secretary.make(f"tickets/{request}/reopening", {"reason": "It leaks"})
    look()

    assert told == [
        ("open", "Accepted", None),
        ("open", "Assigned", "water"),
        ("open", "Being worked on", "water"),
        ("closed", "Resolved", "water"),
        ("open", "Assigned", "water"),
    ]


def test_what_is_about_somebodys_own_affairs_is_private_unless_they_say_otherwise(town):
    answer = send(town.nobody, report(service_code="welfare.hardship"))
    (filed,) = answer.json()

    assert "not shown" in filed["service_notice"]
    errors(town.nobody.get(f"{ROOT}/requests/{filed['service_request_id']}.json"), 404)
    errors(town.nobody.get(f"{ROOT}/tokens/{filed['service_request_id']}.json"), 404)
    assert one(town.clerk, filed["service_request_id"])["service_code"] == "welfare.hardship"
    public = file(town.nobody, service_code="welfare.hardship", visibility="public")
    assert one(town.nobody, public)["status"] == "open"
    private = file(town.nobody, visibility="private")
    errors(town.nobody.get(f"{ROOT}/requests/{private}.xml"), 404)


def test_a_reporter_is_known_by_phone_and_nobody_else_learns_it(town):
    phone = "13800003110"
    before = len(town.texts(phone))
    request = file(
        town.nobody,
        first_name="芳",
        last_name="王",
        phone=phone,
        email="fang@example.org",
        description=f"Call 13800003111 ({a_word()})",
    )

    ticket = town.clerk.get(f"tickets/{request}").json()
    assert ticket["reporter"]
    kept = town.administrator.get(f"residents/{ticket['reporter']}").json()
    assert kept["phone"].endswith("3110")
    eventually(lambda: len(town.texts(phone)) > before)
    answer = town.nobody.get(f"{ROOT}/requests/{request}.json").text
    assert ticket["reporter"] not in answer
    assert "3110" not in answer.replace(request, "")
    assert "13800003111" not in answer
    assert "138****3111" in answer


def test_a_department_files_with_its_key_in_the_form_or_in_the_header(town, waters_key):
    token = waters_key._session.headers["Authorization"].removeprefix("Bearer ")
    made = [
        file(town.nobody, api_key=token),
        send(town.nobody, report(), f"requests.json?api_key={token}").json()[0][
            "service_request_id"
        ],
        file(waters_key),
    ]

    for request in made:
        ticket = town.clerk.get(f"tickets/{request}").json()
        assert (ticket["filed_by"], ticket["reporter"]) == ("water", None)
    assert token not in town.processes["gateway"].log


@pytest.mark.parametrize("key", ["nonsense", "lk_nonsense", "ls_nonsense"])
def test_a_key_that_is_none_is_403_and_a_header_that_is_none_401(town, key):
    errors(send(town.nobody, report(api_key=key)), 403)
    errors(town.nobody.get(f"{ROOT}/requests.xml", params={"api_key": key}), 403)
    header = {"Authorization": f"Bearer {key}"}
    answer = send(town.nobody, report(), headers=header)
    errors(answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_key_that_may_only_read_files_nothing(town):
    reader = town.key({"department": "water"}, "tickets:read")

    errors(send(reader, report()), 403)


def test_a_department_names_a_reporter_by_phone_and_not_by_id(town, waters_key):
    request = file(waters_key, phone="13800003114")
    ticket = town.clerk.get(f"tickets/{request}").json()

    assert ticket["reporter"]
    native = {"category": "water.no_supply", "description": "None", "area": BUILDING}
    named = {**native, "reporter": {"resident": ticket["reporter"]}}
    assert waters_key.post("tickets", named).status_code == 403


def test_the_same_key_of_idempotency_files_one_request(town):
    fields, key = report(), {"Idempotency-Key": str(uuid4())}

    first, again = (send(town.resident, fields, headers=key) for _ in range(2))
    other = send(town.resident, report(), headers=key)

    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    errors(other, 400)


@pytest.mark.parametrize(
    ("fields", "status", "named"),
    [
        ({"service_code": "water.wine"}, 404, "service_code"),
        ({"service_code": "water"}, 404, "service_code"),
        ({"service_code": ""}, 400, "service_code"),
        ({"jurisdiction_id": "sfgov.org"}, 404, ""),
        ({"jurisdiction_id": BUILDING}, 404, ""),
        ({"address_id": "340603008002.e9"}, 400, "address_id"),
        ({"address_id": "340603000000"}, 400, "address_id"),
        ({"address_id": "河滨花园"}, 400, "address_id"),
        ({"address_id": ""}, 400, "address_string"),
        ({"address_id": "", "lat": "33.9"}, 400, "long"),
        ({"lat": "133", "long": "116"}, 400, "lat"),
        ({"lat": "nan", "long": "116"}, 400, "lat"),
        ({"description": "x" * 4001}, 400, "description"),
        ({"phone": "12"}, 400, "phone"),
        (
            {"phone": "13800003114", "first_name": "F" * 30, "last_name": "W" * 20},
            *(400, "first_name"),
        ),
        ({"media_url": "http://pictures.example/a"}, 400, "media_url"),
        ({"media_url": "https://me:secret@pictures.example/a"}, 400, "media_url"),
        ({"media_url": "https://pictures.example/" + "a" * 2000}, 400, "media_url"),
        ({"visibility": "secret"}, 400, "visibility"),
        ({"attribute[wine]": "red"}, 400, "attribute[wine]"),
        ({"attribute[flats]": "a dozen"}, 400, "attribute[flats]"),
        ({"attribute[since]": "this morning"}, 400, "attribute[since]"),
        ({"service_code": "consumer.broadband"}, 400, "attribute[operator]"),
        (
            {"service_code": "consumer.broadband", "attribute[operator]": "nobody"},
            *(400, "attribute[operator]"),
        ),
        ({"description": "NUL \0"}, 400, "description"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_in_the_standards_words(town, fields, status, named):
    told = errors(send(town.resident, report(**fields)), status)
    errors(send(town.resident, report(**fields), "requests.xml"), status)

    assert any(each.startswith(named) for each in told)


def test_answers_to_a_list_are_given_one_by_one(town):
    sent = [*report(service_code="water.quality").items()]
    sent += [("attribute[signs][]", "colour"), ("attribute[signs][]", "taste")]

    request = send(town.resident, sent).json()[0]["service_request_id"]

    ticket = town.clerk.get(f"tickets/{request}").json()
    assert ticket["attributes"] == {"signs": ["colour", "taste"]}


def test_answers_are_screened_like_other_words(town):
    request = file(
        town.nobody,
        service_code="traffic.illegal_parking",
        **{"attribute[place]": "Call 13800003112"},
    )

    ticket = town.clerk.get(f"tickets/{request}").json()
    assert ticket["attributes"] == {"place": "Call 138****3112"}
    native = {"category": "traffic.illegal_parking", "description": "There", "area": BUILDING}
    filed = town.nobody.make("tickets", {**native, "attributes": {"place": "13800003112"}})
    assert filed["masked"] == ["attributes"]


def test_only_forms_are_read_and_no_files(town):
    errors(town.resident.request("POST", f"{ROOT}/requests.json", json=report()), 400)
    errors(send(town.resident, report(), files={"media": b"picture"}), 400)
    as_parts = {name: (None, text) for name, text in report().items()}
    answer = town.resident.request("POST", f"{ROOT}/requests.json", files=as_parts)
    assert answer.status_code == 201, answer.text
    errors(send(town.resident, report(device_id="x" * (1 << 20))), 413)


def test_no_description_is_the_services_name(town):
    assert one(town.nobody, file(town.resident, description=""))["description"] == "No water"


def test_without_a_place_it_is_filed_at_the_community_whose_jurisdiction_it_is(town):
    request = file(town.resident, address_id="", lat="33.95", long="116.79")

    assert one(town.nobody, request)["address_id"] == COMMUNITY


def test_hostile_words_stay_words_in_xml(town):
    words = "]]></description><status>closed</status><!-- & \ufffe &amp; \"'"
    request = file(town.resident, description=words)

    answer = town.nobody.get(f"{ROOT}/requests/{request}.xml")

    root = parsed(answer)
    assert root.findtext("request/description") == words.replace("\ufffe", "\ufffd")
    assert [each.text for each in root.iter("status")] == ["open"]
