"""The event feed and stream over HTTP: who sees what, and going on where one stopped."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from chassis.testing import eventually
from tests.integration.gateway.town import COMMUNITY

FILED = "linli.tickets.ticket_filed.v1"
ASSIGNED = "linli.tickets.ticket_assigned.v1"


def events_of(client, ticket, query=""):
    """The events of a ticket that a caller sees in the feed, oldest first."""
    found, after = [], ""
    while True:
        page = client.get(f"events?limit=200&subject={ticket['id']}{query}{after}").json()
        found += page["items"]
        if page["next"] is None:
            return found
        after = f"&after={page['next']}"


def types(events):
    return [event["type"].split("_", 1)[1].removesuffix(".v1") for event in events]


@contextmanager
def streaming(client, query="", **headers) -> Iterator[Iterator[dict[str, str]]]:
    """The messages of the stream, as they come."""
    session: requests.Session = client._session
    url = f"{client.url}/api/v1/events/stream{query}"
    with session.get(url, stream=True, timeout=10, headers=headers) as answer:
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        yield messages(answer)


def messages(answer) -> Iterator[dict[str, str]]:
    message: dict[str, str] = {}
    for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
        if line.startswith(":"):
            continue
        if not line and "data" in message:
            yield message
        if not line:
            message = {}
            continue
        name, _, value = line.partition(": ")
        message[name] = value


@pytest.fixture
def assigned(town):
    """A ticket that the water company was given."""
    accepted = town.clerk.move(town.file(town.resident), "acceptance")
    return town.clerk.move(accepted, "assignment", {"department": "water"})


def test_everybody_sees_the_events_of_what_they_may_see(town, assigned):
    everything = ["filed", "accepted", "assigned"]
    eventually(lambda: types(events_of(town.administrator, assigned)) == everything)

    assert types(events_of(town.resident, assigned)) == everything
    assert types(events_of(town.clerk, assigned)) == everything
    assert types(events_of(town.grid_worker, assigned)) == everything
    assert types(events_of(town.water_clerk, assigned)) == ["assigned"]
    assert types(events_of(town.roads_clerk, assigned)) == []
    assert types(events_of(town.neighbour, assigned)) == []


def test_a_ticket_made_private_takes_its_earlier_events_with_it(town):
    before = town.neighbour.get("events?limit=200").json()["cursor"]
    ticket = town.file(town.resident, visibility="public")
    eventually(lambda: types(events_of(town.neighbour, ticket)) == ["filed"])

    tag = {"If-Match": town.clerk.get(f"tickets/{ticket['id']}").headers["ETag"]}
    path = f"tickets/{ticket['id']}"
    assert town.clerk.patch(path, {"visibility": "private"}, headers=tag).ok
    eventually(lambda: types(events_of(town.resident, ticket)) == ["filed", "amended"])

    assert events_of(town.neighbour, ticket) == []
    with streaming(town.neighbour, f"?after={before}") as stream:
        mine = town.file(town.neighbour)
        assert json.loads(next(stream)["data"])["subject"] == mine["id"]


def test_somebody_without_a_session_sees_no_events(town):
    assert town.nobody.get("events").status_code == 401
    assert town.nobody.get("events/stream").status_code == 401


def test_a_key_needs_the_scope(town):
    without = town.key({"department": "water"}, "tickets:read")
    having = town.key({"department": "water"}, "events:read")

    assert without.get("events").status_code == 403
    assert having.get("events").ok


def test_an_event_is_a_whole_cloudevent_without_text_or_names(town, assigned):
    event = eventually(lambda: events_of(town.resident, assigned))[0]

    assert event["specversion"] == "1.0"
    assert event["source"] == "/tickets"
    assert event["subject"] == assigned["id"]
    assert event["sequence"] == "0000000001"
    assert assigned["description"] not in json.dumps(event, ensure_ascii=False)


def test_the_feed_is_filtered(town, assigned):
    eventually(lambda: len(events_of(town.administrator, assigned)) == 3)

    def found(query):
        return types(events_of(town.administrator, assigned, f"&{query}"))

    assert found(f"type={FILED}") == ["filed"]
    assert found(f"type={FILED},{ASSIGNED}") == ["filed", "assigned"]
    assert found("department=water") == ["assigned"]
    assert found(f"area={COMMUNITY}.e1") == ["filed", "accepted", "assigned"]
    assert found(f"area={COMMUNITY}.e2") == []


def test_the_feed_goes_on_where_it_stopped(town):
    tickets = [town.file(town.neighbour)["id"] for _ in range(3)]
    eventually(lambda: has_all(town, tickets))
    seen, path = [], "events?limit=1"
    while path:
        answer = town.neighbour.get(path)
        seen += [event["id"] for event in answer.json()["items"]]
        path = answer.links.get("next", {}).get("url")

    assert len(seen) == len(set(seen)) >= 3
    later = town.neighbour.get(f"events?after={answer.json()['cursor']}").json()
    assert not {event["id"] for event in later["items"]} & set(seen)


def has_all(town, tickets):
    items = town.neighbour.get("events?limit=200").json()["items"]
    return set(tickets) <= {event["subject"] for event in items}


def test_the_stream_tells_what_happens_and_goes_on_after_the_last_id(town):
    with streaming(town.resident, f"?type={FILED}") as stream:
        first, second = (town.file(town.resident) for _ in range(2))
        message = next(stream)
    assert json.loads(message["data"])["subject"] == first["id"]

    with streaming(town.resident, **{"Last-Event-ID": message["id"]}) as stream:
        again = next(stream)
    assert json.loads(again["data"])["subject"] == second["id"]


def test_the_stream_and_the_feed_share_their_cursor(town):
    with streaming(town.resident) as stream:
        town.file(town.resident)
        after = next(stream)["id"]
    second = town.file(town.resident)

    def following():
        return town.resident.get(f"events?after={after}").json()["items"]

    assert eventually(following)[0]["subject"] == second["id"]


def test_a_stream_shows_only_what_its_reader_may_see(town):
    with streaming(town.neighbour) as stream:
        town.file(town.resident)
        mine = town.file(town.neighbour)

        assert json.loads(next(stream)["data"])["subject"] == mine["id"]


@pytest.mark.parametrize("path", ["events", "events/stream"])
def test_a_cursor_that_leads_nowhere_is_refused(town, path):
    other_epoch = town.resident.get(f"{path}?after=1-1")
    nonsense = town.resident.get(f"{path}?after=nonsense")

    assert (other_epoch.status_code, other_epoch.json()["type"]) == (410, "/problems/cursor_gone")
    assert (nonsense.status_code, nonsense.json()["type"]) == (422, "/problems/invalid_cursor")


@pytest.mark.parametrize(
    "query", ["type=x", "type=", "area=x", "department=X", "subject=1", "limit=0", "colour=red"]
)
def test_a_filter_that_is_not_understood_is_refused(town, query):
    assert town.resident.get(f"events?{query}").status_code == 422
