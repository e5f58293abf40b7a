"""What arrives for whom, what is asked for again, what is forgotten; on a real database."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from chassis.call import Actor, Call, Grant
from chassis.clock import iso, now
from chassis.errors import Forbidden, NotFound
from chassis.events import CloudEvent
from services.notifications import forgetting
from services.notifications.models import Delivery as Message
from services.notifications.models import Department, Notification
from services.notifications.webhooks import (
    access,
    claims,
    clerks,
    contents,
    endpoints,
    keys,
    log,
    pruning,
)
from services.notifications.webhooks import replays as again
from services.notifications.webhooks.errors import (
    LastSecret,
    TooManySecrets,
    UnknownWebhook,
    WebhookNotActive,
)
from services.notifications.webhooks.models import Attempt, Delivery, Endpoint, Event, Secret
from services.notifications.webhooks.outcome import Reason, Result
from services.notifications.webhooks.records import record
from services.notifications.webhooks.schemas import ListWebhookDeliveries, Replay
from tests.integration.notifications.webhook_world import (
    LONG_AGO,
    World,
    administrator,
    department,
    told,
)
from tests.integration.notifications.world import TicketStory

URL = "https://hooks.example.org/linli"


@pytest.fixture
def world(engine: Engine, webhook_environ: dict[str, str]) -> World:
    return World(engine, webhook_environ)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as session:
        yield session
        session.rollback()


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


def claim(world: World, session: Session) -> Any:
    settings = world.settings
    return claims.claim(session, world.seal, now(), 1000, settings.terms)


def settle(world: World, session: Session, claimed: Any, reason: Reason) -> int:
    done = [(each, Result(reason, status=200), 0.5) for each in claimed]
    return record(session, done, world.settings.patience, now())


def test_a_claim_that_another_has_taken_over_records_nothing(world, session):
    endpoint = world.endpoint(URL)
    world.filed()
    first = claim(world, session)
    lapsed = update(Delivery).where(Delivery.endpoint == endpoint.id)
    session.execute(lapsed.values(next_attempt_at=now()))
    second = claim(world, session)

    assert settle(world, session, first, Reason.DELIVERED) == 0
    assert settle(world, session, second, Reason.DELIVERED) == 1
    session.commit()
    assert endpoint.reasons == ["sender_lost", "delivered"]


def test_two_claim_side_by_side_and_neither_waits_or_takes_the_other_s(world, engine):
    for _ in range(3):
        world.endpoint(URL)
    world.filed()
    world.filed()

    with Session(engine) as one, Session(engine) as other:
        first = claim(world, one)
        assert claim(world, other) == []
        one.commit()
        second = claim(world, other)
        other.commit()

    assert len(first) >= 3
    assert {each.id for each in first}.isdisjoint(each.id for each in second)


def test_old_secrets_sign_for_a_while_and_at_most_three_do(world, session):
    endpoint, call, seal = world.endpoint(URL), administrator(), world.seal

    def rotate() -> str:
        made = keys.rotate(
            session, named(call), endpoint.id, seal, overlap=timedelta(hours=24), at=now()
        )
        return str(made["secret"])

    second, third = rotate(), rotate()

    live = contents.live_secrets(session, seal, {endpoint.id}, now())[endpoint.id]
    assert live == (third, second, endpoint.secret)
    with pytest.raises(TooManySecrets):
        rotate()
    later = now() + timedelta(hours=24, minutes=1)
    assert contents.live_secrets(session, seal, {endpoint.id}, later)[endpoint.id] == (third,)


def named(call: Call) -> Call:
    return Call(call.actor, call.grants, command_id=str(uuid4()))


def test_the_newest_secret_cannot_be_ended_and_an_older_one_can(world, session):
    endpoint, call = world.endpoint(URL), administrator()
    keys.rotate(session, call, endpoint.id, world.seal, overlap=timedelta(hours=1), at=now())
    older, newest = keys.listed(session, call, endpoint.id, now())["items"]

    with pytest.raises(LastSecret):
        keys.end(session, call, endpoint.id, UUID(newest["id"]), now())
    keys.end(session, call, endpoint.id, UUID(older["id"]), now())

    assert [each["id"] for each in keys.listed(session, call, endpoint.id, now())["items"]] == [
        newest["id"]
    ]


def test_a_repeated_command_makes_one_endpoint_whose_new_secret_holds(world, session):
    call = administrator()
    first, second = world.endpoint(URL, call), world.endpoint(URL, call)

    assert first.id == second.id
    live = contents.live_secrets(session, world.seal, {first.id}, now())[first.id]
    assert live == (second.secret,)
    stored = session.scalars(select(Secret.sealed).where(Secret.endpoint == first.id)).all()
    assert [second.secret.encode() in sealed for sealed in stored] == [False]


def test_another_department_s_endpoint_is_not_there(world, session):
    endpoint = world.endpoint(URL, department("water"))

    for call in (department("roads"), department("roads", "person")):
        with pytest.raises(UnknownWebhook):
            access.endpoint(session, call, access.READ, endpoint.id)
        with pytest.raises(UnknownWebhook):
            endpoints.remove(session, call, endpoint.id, now())
    with pytest.raises(Forbidden):
        access.endpoint(session, Call(Actor("x", "person")), access.READ, endpoint.id)
    assert access.endpoint(session, administrator(), access.READ, endpoint.id).department == "water"


def test_whoever_works_for_two_says_for_which(world, session):
    grants = tuple(Grant(f"department:{code}", frozenset({access.WRITE})) for code in ("a", "b"))
    call = Call(Actor(str(uuid4()), "person"), grants)

    assert access.owner(session, call, "b") == "b"
    with pytest.raises(Forbidden):
        access.owner(session, call, "c")
    with pytest.raises(Exception, match="not valid") as unsaid:
        access.owner(session, call, None)
    assert unsaid.value.errors[0]["code"] == "department_required"


def test_sending_again_queues_the_same_delivery_and_keeps_its_attempts(world, session):
    endpoint, call = world.endpoint(URL), administrator()
    world.filed()
    settle(world, session, claim(world, session), Reason.DELIVERED)
    (delivery,) = session.scalars(select(Delivery).where(Delivery.endpoint == endpoint.id))

    queued = again.redeliver(session, call, {"id": endpoint.id, "delivery": delivery.id}, now())
    assert (queued["id"], queued["state"]) == (str(delivery.id), "queued")
    session.flush()
    settle(world, session, claim(world, session), Reason.DELIVERED)

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
    settle(world, session, claim(world, session), Reason.DELIVERED)
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


def duty(person: UUID, code: str, sequence: int = 1, **own: Any) -> CloudEvent:
    data = {
        "duty": str(uuid4()),
        "person": str(person),
        "role": "department_clerk",
        "area": None,
        "department": code,
        "from": "2026-01-01",
        "to": None,
        **own,
    }
    return CloudEvent(
        id=str(uuid4()),
        type="linli.residents.duty_started.v1",
        source="/residents",
        subject=data["duty"],
        time=now(),
        sequence=sequence,
        data=data,
    )


def test_who_made_it_and_the_department_s_clerks_are_told_that_it_was_disabled(world, session):
    code = f"d{uuid4().hex[:8]}"
    clerk, former, elsewhere = uuid4(), uuid4(), uuid4()
    clerks.keep(session, duty(clerk, code))
    clerks.keep(session, duty(former, code, to="2026-02-01"))
    clerks.keep(session, duty(elsewhere, "other"))
    session.commit()
    maker = department(code, "person")
    endpoint = world.endpoint(URL, maker)
    endpoint.change(failures=1, failing_since=now() - LONG_AGO)
    world.arrive(told(TicketStory(department=code).event("filed")))

    settle(world, session, claim(world, session), Reason.SERVER_ERROR)
    session.commit()

    assert (endpoint.row.state, endpoint.row.reason) == ("disabled", "failing")
    found = session.execute(
        select(Notification.person, Notification.variables, Message.channels)
        .join(Message, Message.notification == Notification.id)
        .where(Notification.purpose == "webhook_disabled")
        .where(Notification.variables["department"].astext == code)
    ).all()
    assert {row.person for row in found} == {clerk, UUID(maker.actor.id)}
    assert {row.variables["host"] for row in found} == {"hooks.example.org"}
    assert [row.channels for row in found] == [["email", "sms"]] * 2


def test_a_late_event_changes_nothing_of_a_clerk_s_duty(world, session):
    code, person = f"d{uuid4().hex[:8]}", uuid4()
    ended = duty(person, code, 2, to="2026-02-01")
    started = duty(person, code, 1, duty=ended.data["duty"])

    clerks.keep(session, ended)
    clerks.keep(session, started)

    kept = session.scalars(select(clerks.Clerk.ends).where(clerks.Clerk.person == person)).one()
    assert str(kept) == "2026-02-01"


def test_who_was_erased_is_named_nowhere(world, session):
    code = f"d{uuid4().hex[:8]}"
    maker = department(code, "person")
    person = UUID(maker.actor.id)
    endpoint = world.endpoint(URL, maker)
    clerks.keep(session, duty(person, code))
    erased = CloudEvent(
        id=str(uuid4()),
        type="linli.residents.resident_erased.v1",
        source="/residents",
        subject=str(person),
        time=now(),
        sequence=9,
        data={"resident": str(person)},
    )

    forgetting.forget_person(session, erased, now())
    clerks.keep(session, duty(person, code))
    session.commit()

    assert endpoint.row.created_by is None
    assert not session.scalars(select(clerks.Clerk).where(clerks.Clerk.person == person)).all()


def test_old_events_go_with_their_deliveries_and_attempts(world, session):
    endpoint = world.endpoint(URL)
    world.filed()
    settle(world, session, claim(world, session), Reason.DELIVERED)
    session.commit()

    pruning.forget(session, now() - timedelta(days=1), 100)
    assert len(endpoint.deliveries) == 1
    while pruning.forget(session, now(), 100):
        pass
    session.commit()

    assert endpoint.deliveries == []
    assert session.scalar(select(func.count()).select_from(Attempt)) == 0


def test_a_deleted_endpoint_goes_once_its_deliveries_are_gone(world, session):
    endpoint = world.endpoint(URL)
    for _ in range(3):
        world.filed()
    endpoints.remove(session, administrator(), endpoint.id, now())

    while pruning.forget(session, now() - timedelta(days=30), 2):
        pass
    session.commit()

    assert session.get(Endpoint, endpoint.id) is None
    assert endpoint.deliveries == []


def test_an_administrator_names_a_department_that_there_is(world, session):
    session.merge(Department(code="lamps", name="Lamps", names={}, sequence=1))
    session.flush()

    assert access.owner(session, administrator(), "lamps") == "lamps"
    with pytest.raises(Exception, match="not valid") as unknown:
        access.owner(session, administrator(), "nothing")
    assert unknown.value.errors[0]["code"] == "unknown_department"
