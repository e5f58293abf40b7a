"""Open311 GeoReport v2 over HTTP: what its readers and writers get, in both formats."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from xml.etree import ElementTree

import pytest

from chassis.testing import eventually
from tests.integration.gateway.test_neighbours_away import away
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


@pytest.fixture(scope="module")
def waters_key(town):
    """A program of the water company."""
    owner = {"department": "water"}
    return town.key(owner, "tickets:read", "tickets:write")


def test_discovery_says_where_it_is_and_in_which_formats(town):
    told = read(town.nobody, "discovery.json")

    (endpoint,) = told["endpoints"]
    assert endpoint["url"] == f"{town.url}{ROOT}"
    assert endpoint["specification"] == "http://wiki.open311.org/GeoReport_v2"
    assert endpoint["formats"] == ["text/xml", "application/json"]
    assert told["contact"]
    assert told["key_service"]


def test_xml_and_json_say_the_same_by_the_spark_convention(town):
    services = read(town.nobody, "services.json")
    answer = town.nobody.get(f"{ROOT}/services.xml")

    assert answer.content.startswith(b"<?xml version='1.0' encoding='utf-8'?>")
    root = parsed(answer)
    assert (root.tag, {child.tag for child in root}) == ("services", {"service"})
    told = [{field.tag: field.text for field in service} for service in root]
    as_text = [{**each, "metadata": str(each["metadata"]).lower()} for each in services]
    assert told == as_text


def test_services_are_the_leaves_of_the_category_tree(town):
    by_code = {each["service_code"]: each for each in read(town.nobody, "services.json")}

    assert "water" not in by_code
    assert by_code["water.no_supply"] == {
        "service_code": "water.no_supply",
        "service_name": "No water",
        "description": "Water and sewerage: No water",
        "metadata": True,
        "type": "realtime",
        "keywords": "停水, No water, 供水排水, Water and sewerage",
        "group": "Water and sewerage",
    }
    assert by_code["roads.pothole"]["metadata"] is False


def test_the_language_is_the_parameters_or_the_headers_or_chinese(town):
    def name(headers=None, **params):
        answer = town.nobody.get(f"{ROOT}/services.json", headers=headers, params=params)
        return {each["service_code"]: each["service_name"] for each in answer.json()}[
            "water.no_supply"
        ]

    assert name() == "No water"  # The clients of these tests say that they read English.
    assert name({"Accept-Language": "zh-CN"}) == "停水"
    assert name({"Accept-Language": "fr"}) == "停水"
    assert name(locale="zh-CN") == "停水"


def test_a_definition_has_what_is_asked_besides(town):
    told = read(town.nobody, "services/consumer.broadband.json")

    assert told["service_code"] == "consumer.broadband"
    operator, since = told["attributes"]
    assert (operator["code"], operator["datatype"], operator["required"], operator["order"]) == (
        *("operator", "singlevaluelist", True, 1),
    )
    assert {"key": "unicom", "name": "China Unicom"} in operator["values"]
    assert (since["datatype"], since["variable"], since["datatype_description"]) == (
        *("datetime", True, None),
    )
    root = parsed(town.nobody.get(f"{ROOT}/services/consumer.broadband.xml"))
    assert root.tag == "service_definition"
    assert root.findtext("attributes/attribute/values/value/key") == "telecom"
    assert read(town.nobody, "services/roads.pothole.json")["attributes"] == []


@pytest.mark.parametrize("code", ["water", "water.wine", "nothing"])
def test_a_service_that_is_not_there_is_404(town, code):
    errors(town.nobody.get(f"{ROOT}/services/{code}.json"), 404)
    errors(town.nobody.get(f"{ROOT}/services/{code}.xml"), 404)


def test_the_format_is_the_endings_or_the_headers_or_xml(town):
    def media_type(path, accept):
        answer = town.nobody.get(f"{ROOT}/{path}", headers={"Accept": accept})
        return answer.headers["Content-Type"]

    xml, json = "text/xml; charset=utf-8", "application/json; charset=utf-8"
    assert media_type("services", "*/*") == xml
    assert media_type("services", "application/json") == json
    assert media_type("services", "text/html, application/xml;q=0.9") == xml
    assert media_type("services.json", "text/xml") == json
    assert media_type("services.xml", "application/json") == xml
    assert media_type("services/roads.pothole", "application/json") == json


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
        ({"address_id": ""}, 400, "address_string"),
        ({"address_id": "", "lat": "33.9"}, 400, "long"),
        ({"lat": "133", "long": "116"}, 400, "lat"),
        ({"lat": "nan", "long": "116"}, 400, "lat"),
        ({"description": "x" * 4001}, 400, "description"),
        ({"phone": "12"}, 400, "phone"),
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
    past = {"updated_before": since, "updated_after": "2026-10-01"}
    assert request not in {
        each["service_request_id"] for each in read(town.nobody, "requests.json", **past)
    }


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-11-01T00:00:00Z"}, 400),
        ({"start_date": "yesterday"}, 400),
        ({"status": "sleeping"}, 400),
        ({"page": "0"}, 400),
        ({"page_size": "201"}, 400),
        ({"page": "51", "page_size": "200"}, 400),
        ({"jurisdiction_id": "sfgov.org"}, 404),
        ({"service_request_id": ",".join(str(n) for n in range(201))}, 400),
    ],
)
def test_what_cannot_be_asked_is_refused(town, params, status):
    errors(town.nobody.get(f"{ROOT}/requests.json", params=params), status)
    errors(town.nobody.get(f"{ROOT}/requests.xml", params=params), status)


def test_a_token_is_the_id_of_its_request(town):
    request = file(town.resident)

    told = read(town.nobody, f"tokens/{request}.json")

    assert told == [{"service_request_id": request, "token": request}]
    errors(town.nobody.get(f"{ROOT}/tokens/{uuid4()}.xml"), 404)


def assigned(town, department="water"):
    """A request that a department has."""
    request = file(town.resident)
    ticket = town.clerk.move(town.clerk.get(f"tickets/{request}").json(), "acceptance")
    town.clerk.move(ticket, "assignment", {"department": department, "note": "Call her first"})
    return request


def updates(client, request):
    told = read(client, "servicerequestupdates.json", service_request_id=request)
    return [(each["status"], each["description"]) for each in told]


def test_updates_tell_each_public_change_and_nothing_that_is_said_among_staff(town):
    request = assigned(town)
    town.clerk.make(f"tickets/{request}/comments", {"text": "Inside", "visibility": "internal"})
    town.clerk.make(f"tickets/{request}/comments", {"text": "We come", "visibility": "public"})
    ticket = town.water_clerk.get(f"tickets/{request}").json()
    ticket = town.water_clerk.move(ticket, "resolution", {"summary": "A new pipe"})

    assert updates(town.nobody, request) == [
        ("open", "Accepted"),
        ("open", "Assigned"),
        ("open", "We come"),
        ("closed", "A new pipe"),
    ]
    town.secretary.make(f"tickets/{request}/reopening", {"reason": "It leaks"})
    assert updates(town.nobody, request)[3:] == [("closed", "Resolved"), ("open", "Assigned")]
    private = file(town.resident, visibility="private")
    town.clerk.move(town.clerk.get(f"tickets/{private}").json(), "acceptance")
    assert updates(town.nobody, private) == []


def test_updates_are_read_from_one_moment_on(town):
    request = assigned(town)
    told = read(town.nobody, "servicerequestupdates.json", service_request_id=request)
    later = datetime.now(UTC) + timedelta(minutes=1)

    assert set(told[0]) == {
        *("update_id", "service_request_id", "status", "updated_datetime", "description"),
        "media_url",
    }
    start = (later - timedelta(hours=2)).isoformat()
    found = read(town.nobody, "servicerequestupdates.json", start_date=start)
    assert {each["update_id"] for each in told} <= {each["update_id"] for each in found}
    assert read(town.nobody, "servicerequestupdates.json", start_date=later.isoformat()) == []


def test_a_department_says_what_it_does_and_then_that_it_is_done(town, waters_key):
    request = assigned(town)

    def say(update, **fields):
        body = {"service_request_id": request, "update_id": update, **fields}
        answer = send(waters_key, body, "servicerequestupdates.xml")
        assert answer.status_code == 201, answer.text
        root = parsed(answer)
        assert root.tag == "service_request_updates"
        return root.findtext("request_update/update_id")

    said = say("1", status="OPEN", description="On our way")
    done = say("2", status="CLOSED", description="A new pipe")

    assert say("2", status="CLOSED", description="A new pipe") == done
    assert say("1", status="OPEN", description="On our way") == said
    assert updates(town.nobody, request)[2:] == [("open", "On our way"), ("closed", "A new pipe")]
    told = read(town.nobody, "servicerequestupdates.json", service_request_id=request)
    assert [each["update_id"] for each in told[2:]] == [said, done]
    say("3", status="closed", description="And a new tap")
    assert updates(town.nobody, request)[4:] == [("closed", "And a new tap")]


def test_nobody_says_anything_of_what_they_do_not_have(town, waters_key):
    roads = assigned(town, "roads")
    said = {"description": "Done", "status": "fixed"}

    def say(client, request, **fields):
        body = {"service_request_id": request, **said, **fields}
        return send(client, body, "servicerequestupdates.json")

    errors(say(town.nobody, roads), 403)
    errors(say(waters_key, roads), 404)
    errors(say(waters_key, "nothing"), 404)
    mine = assigned(town)
    errors(say(waters_key, mine, description=""), 400)
    errors(say(waters_key, mine, status="sleeping"), 400)
    assert one(town.nobody, roads)["status"] == "open"


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
