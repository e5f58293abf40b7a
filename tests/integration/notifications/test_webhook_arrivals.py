"""What arrives for whom and is sent again, on a real database."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from chassis.clock import iso, now
from chassis.errors import NotFound
from services.notifications.webhooks import (
    endpoints,
    log,
)
from services.notifications.webhooks import replays as again
from services.notifications.webhooks.errors import (
    WebhookNotActive,
)
from services.notifications.webhooks.models import Delivery, Event
from services.notifications.webhooks.outcome import Reason
from services.notifications.webhooks.schemas import ListWebhookDeliveries, Replay
from tests.integration.notifications.webhook_world import (
    URL,
    administrator,
    department,
    told,
)
from tests.integration.notifications.world import TicketStory


def types(watched: Any) -> list[str]:
    return [each.type.split(".")[2].removeprefix("ticket_") for each in watched.deliveries]


def test_a_department_gets_what_concerns_it_and_the_event_by_which_it_loses_it(world):
    water, roads = (world.endpoint(URL, department(code)) for code in ("water", "roads"))
    everything = world.endpoint(URL)
    story = TicketStory()

    world.arrive(
        told(story.event("filed")),
        told(story.event("assigned", department="water")),
        told(story.event("assigned", department="roads", previous_department="water")),
        told(story.event("started", department="roads")),
    )

    assert types(water) == ["assigned", "assigned"]
    assert types(roads) == ["assigned", "started"]
    assert types(everything) == ["filed", "assigned", "assigned", "started"]


def test_types_and_a_place_narrow_it(world):
    filed = world.endpoint(URL, types=["linli.tickets.ticket_filed.v1"])
    placed = world.endpoint(URL, area="340603008002")
    here, there = (TicketStory(area=f"{code}.e1") for code in ("340603008002", "340603008003"))

    world.arrive(
        *(told(each.event(name)) for each in (here, there) for name in ("filed", "closed"))
    )

    assert types(filed) == ["filed", "filed"]
    assert {each.subject for each in placed.deliveries} == {here.ticket}


def test_an_event_is_stored_once_and_delivered_once_however_often_it_comes(world, session):
    one, other = world.endpoint(URL), world.endpoint(URL)
    event = world.filed()

    world.arrive(event)

    assert one.states == other.states == ["queued"]
    stored = session.scalars(select(Event.body).where(Event.id == UUID(event.id))).all()
    assert stored == [event.body]


def test_what_concerns_nobody_is_not_stored(world, session):
    event = world.filed()

    assert session.get(Event, UUID(event.id)) is None


def test_a_claim_that_another_has_taken_over_records_nothing(world, session):
    endpoint = world.endpoint(URL)
    world.filed()
    first = world.claim(session)
    lapsed = update(Delivery).where(Delivery.endpoint == endpoint.id)
    session.execute(lapsed.values(next_attempt_at=now()))
    second = world.claim(session)

    assert world.settle(session, first, Reason.DELIVERED) == 0
    assert world.settle(session, second, Reason.DELIVERED) == 1
    session.commit()
    assert endpoint.reasons == ["sender_lost", "delivered"]


def test_two_claim_side_by_side_and_neither_waits_or_takes_the_other_s(world, engine):
    for _ in range(3):
        world.endpoint(URL)
    world.filed()
    world.filed()

    with Session(engine) as one, Session(engine) as other:
        first = world.claim(one)
        assert world.claim(other) == []
        one.commit()
        second = world.claim(other)
        other.commit()

    assert len(first) >= 3
    assert {each.id for each in first}.isdisjoint(each.id for each in second)


def test_sending_again_queues_the_same_delivery_and_keeps_its_attempts(world, session):
    endpoint, call = world.endpoint(URL), administrator()
    world.filed()
    world.settle(session, world.claim(session), Reason.DELIVERED)
    (delivery,) = session.scalars(select(Delivery).where(Delivery.endpoint == endpoint.id))

    queued = again.redeliver(session, call, {"id": endpoint.id, "delivery": delivery.id}, now())
    assert (queued["id"], queued["state"]) == (str(delivery.id), "queued")
    session.flush()
    world.settle(session, world.claim(session), Reason.DELIVERED)

    told_of = log.one(session, call, {"id": endpoint.id, "delivery": delivery.id})
    assert [attempt["number"] for attempt in told_of["attempts"]] == [1, 2]
    with pytest.raises(NotFound):
        again.redeliver(session, call, {"id": endpoint.id, "delivery": uuid4()}, now())


def test_what_a_disabled_endpoint_missed_is_replayed_once_it_is_enabled(world, session):
    endpoint, call = world.endpoint(URL), administrator()
    wanted, known = {"id": endpoint.id}, {"seal": world.seal, "settings": world.settings}
    endpoints.change(session, call, {**wanted, "active": False}, **known, at=now())
    session.commit()
    before = now()
    for _ in range(3):
        world.filed()
    assert endpoint.states == ["skipped"] * 3
    with pytest.raises(WebhookNotActive):
        again.active(session, call, endpoint.id)

    endpoints.change(session, call, {**wanted, "active": True}, **known, at=now())
    span = {"id": str(endpoint.id), "from": iso(before), "to": iso(now())}
    asked = Replay().load({**span, "failed_only": True})
    made = again.replay(session, endpoint.id, asked, asked["since"], now())
    session.commit()

    assert len(made) == 3
    assert endpoint.states == ["queued"] * 3


def test_a_replay_goes_on_where_it_stopped(world, session, monkeypatch):
    monkeypatch.setattr(again, "BATCH", 2)
    endpoint = world.endpoint(URL)
    before = now()
    for _ in range(5):
        world.filed()
    world.settle(session, world.claim(session), Reason.DELIVERED)
    at = now()
    span = {"id": str(endpoint.id), "from": iso(before), "to": iso(at)}
    asked, since, counts = Replay().load(span), before, []

    while made := again.replay(session, endpoint.id, asked, since, at):
        counts.append(len(made))
        since = made[-1]

    assert counts == [2, 2, 1]
    nothing = Replay().load({**span, "failed_only": True})
    assert again.replay(session, endpoint.id, nothing, before, now()) == []


def test_a_test_event_goes_to_one_endpoint_alone_and_once_for_a_command(world, session):
    endpoint, other, call = world.endpoint(URL), world.endpoint(URL), administrator()

    first = again.test(session, call, endpoint.id, now())
    second = again.test(session, call, endpoint.id, now())

    assert first["id"] == second["id"]
    assert first["type"] == "linli.notifications.webhook_tested.v1"
    assert other.states == []
    body = session.get_one(Event, UUID(first["event"])).body
    assert json.loads(body)["specversion"] == "1.0"


def test_the_log_is_read_in_pages_with_filters(world, session):
    endpoint, call = world.endpoint(URL), administrator()
    story = TicketStory()
    world.arrive(*(told(story.event(name)) for name in ("filed", "accepted", "closed")))

    def listed(**wanted: Any) -> dict[str, Any]:
        asked = ListWebhookDeliveries().load({"id": str(endpoint.id), **wanted})
        return log.page(session, call, asked)

    first = listed(limit=2)
    rest = listed(limit=2, after=first["next"])
    assert len({each["id"] for each in (*first["items"], *rest["items"])}) == 3
    assert rest["next"] is None
    assert len(listed(type="linli.tickets.ticket_closed.v1")["items"]) == 1
    assert listed(state="delivered")["items"] == []
    assert listed(to=iso(now() - timedelta(hours=1)))["items"] == []
