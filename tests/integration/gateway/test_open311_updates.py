"""Updates of requests, out and in."""

from datetime import UTC, datetime, timedelta

from tests.integration.gateway.open311 import (
    assigned,
    errors,
    file,
    one,
    parsed,
    read,
    send,
    updates,
)


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


def test_an_update_is_the_same_by_the_requests_id_and_by_its_number(town, waters_key):
    request = assigned(town)
    number = town.clerk.get(f"tickets/{request}").json()["number"]
    said = {"update_id": "7", "description": "On our way"}

    answers = [
        send(waters_key, {"service_request_id": name, **said}, "servicerequestupdates.json")
        for name in (request, number, request.upper())
    ]

    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert answers[0].json() == answers[1].json() == answers[2].json()
    assert updates(town.nobody, request)[2:] == [("open", "On our way")]


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
