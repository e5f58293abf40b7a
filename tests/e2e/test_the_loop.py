"""The loop by hand, as the README tells it: a resident's request reaches a department's queue, and
the answer comes back.
"""

import subprocess
from datetime import datetime

from cloudevents.core.bindings import http as cloudevents_http

from chassis.testing import eventually
from tests.e2e.written import JAVASCRIPT
from tests.stack.clients import filing

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


def inbox(resident, ticket):
    """What a resident was told of a ticket, the newest last."""
    newest_first = [each for each in resident.items("inbox") if each["ticket"] == ticket["id"]]
    return [item["purpose"] for item in reversed(newest_first)]


def texted(community, ticket):
    """How many texts about a ticket the resident's phone has."""
    phone = community.ready["sign_ins"]["resident"]["phone"]
    return sum(ticket["number"] in text for text in community.texts(phone))


def assigned(community, department):
    """A ticket that staff have given to a department."""
    ticket = community.resident().file()
    ticket = community.staff("staff").move(ticket, "acceptance")
    return community.staff("staff").move(ticket, "assignment", {"department": department})


def names(events):
    """The short names of events."""
    return [event["type"].split(".")[2] for event in events]


def test_a_request_is_solved_and_its_reporter_hears_of_every_step(community, water_events):
    resident = community.resident()
    staff, water = community.staff("staff"), community.staff("water")
    told = []

    def is_told(purpose):
        told.append(purpose)
        eventually(lambda: inbox(resident, ticket) == told)
        eventually(lambda: texted(community, ticket) == len(told))

    ticket = resident.make("tickets", filing())
    assert ticket["state"] == "filed"
    is_told("ticket_filed")
    ticket = staff.move(ticket, "acceptance")
    is_told("ticket_accepted")
    ticket = staff.move(ticket, "assignment", {"department": "water"})
    is_told("ticket_assigned")
    assert ticket["id"] in {item["id"] for item in water.items("tickets")}
    ticket = water.move(ticket, "work")
    is_told("ticket_started")
    ticket = water.move(ticket, "resolution", {"summary": "The pipe is new."})
    is_told("ticket_resolved")
    ticket = resident.move(ticket, "follow-up", {"solved": "yes", "satisfied": "yes"})
    is_told("ticket_closed")

    assert ticket["state"] == "closed"
    moves = [entry["move"] for entry in resident.items(f"tickets/{ticket['id']}/history")]
    assert moves == [
        *("filing", "acceptance", "assignment", "work", "resolution", "follow-up", "closing"),
    ]
    eventually(lambda: len(water_events.of(ticket)) == 5)
    assert names(water_events.of(ticket)) == [
        *("ticket_assigned", "ticket_started", "ticket_resolved", "ticket_rated", "ticket_closed"),
    ]


def test_a_request_that_is_not_solved_goes_back_to_the_same_department(community, water_events):
    ticket = assigned(community, "water")
    ticket = community.staff("water").move(ticket, "resolution", {"summary": "Done."})

    answer = {"solved": "no", "satisfied": "no", "reason": "It still leaks."}
    ticket = community.resident().move(ticket, "follow-up", answer)

    assert (ticket["state"], ticket["department"]) == ("assigned", "water")
    eventually(lambda: names(water_events.of(ticket))[-1:] == ["ticket_reopened"])


def test_water_hears_that_it_loses_a_ticket_and_nothing_more_of_it(community, water_events):
    ticket = assigned(community, "water")
    staff, roads = community.staff("staff"), community.staff("roads")

    ticket = staff.move(ticket, "assignment", {"department": "roads"})
    ticket = roads.move(ticket, "work")
    later = assigned(community, "water")

    eventually(lambda: water_events.of(later))
    heard = water_events.of(ticket)
    assert names(heard) == ["ticket_assigned", "ticket_assigned"]
    assert heard[1]["data"]["department"] == "roads"
    assert heard[1]["data"]["previous_department"] == "water"


def test_water_hears_that_it_sent_a_ticket_back(community, water_events):
    ticket = assigned(community, "water")

    community.staff("water").move(ticket, "send-back", {"reason": "Not ours."})

    eventually(lambda: names(water_events.of(ticket)) == ["ticket_assigned", "ticket_sent_back"])


def test_water_is_told_nothing_of_another_departments_tickets(community, water_events):
    other = assigned(community, "roads")
    community.staff("roads").move(other, "work")
    own = assigned(community, "water")

    eventually(lambda: water_events.of(own))

    assert water_events.of(other) == []
    assert all("water" in event["data"]["departments"] for event in water_events.events())


def test_a_department_moves_its_tickets_with_its_api_key(community):
    ticket = assigned(community, "water")

    ticket = community.waters_key.move(ticket, "work")

    assert ticket["state"] == "in_progress"
    assert community.waters_key.get("areas").status_code == 200
    assert community.waters_key.post("areas", {"code": "340603009000"}).status_code == 403


def test_each_message_of_waters_queue_is_a_complete_cloudevent(community, water_events):
    ticket = assigned(community, "water")
    eventually(lambda: water_events.of(ticket))

    for line, event in zip(water_events.lines(), water_events.events(), strict=False):
        message = cloudevents_http.HTTPMessage({"content-type": CONTENT_TYPE}, line.encode())
        read = cloudevents_http.from_http_event(message)

        assert read.get_id() == event["id"]
        assert read.get_type().startswith("linli.tickets.ticket_")
        assert read.get_source() == "/tickets"
        assert read.get_subject() == event["data"]["ticket"]
        assert isinstance(read.get_time(), datetime)
        assert read.get_dataschema()
        assert read.get_extension("sequence") == event["sequence"]
        assert len(event["sequence"]) == 10
        assert read.get_extension("partitionkey") == event["subject"]
        assert read.get_extension("traceparent").startswith("00-")
        assert read.get_data() == event["data"]


def test_the_javascript_sdk_reads_the_same_events(community, water_events, node):
    ticket = assigned(community, "water")
    eventually(lambda: water_events.of(ticket))
    lines = water_events.lines()

    read = subprocess.run(
        [node, "read.mjs"],
        cwd=JAVASCRIPT,
        input="".join(lines),
        capture_output=True,
        text=True,
        check=False,
    )

    assert read.returncode == 0, read.stderr
    assert len(read.stdout.splitlines()) == len(lines)
