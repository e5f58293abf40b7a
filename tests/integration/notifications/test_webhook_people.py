"""Who is told of an endpoint that was disabled, and who is forgotten."""

from uuid import UUID, uuid4

from sqlalchemy import select

from chassis.clock import now
from chassis.events import CloudEvent
from services.notifications import forgetting
from services.notifications.models import Delivery as Message
from services.notifications.models import Notification
from services.notifications.webhooks import (
    clerks,
)
from services.notifications.webhooks.outcome import Reason
from tests.integration.notifications.webhook_world import (
    LONG_AGO,
    URL,
    department,
    duty,
    told,
)
from tests.integration.notifications.world import TicketStory


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

    world.settle(session, world.claim(session), Reason.SERVER_ERROR)
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
