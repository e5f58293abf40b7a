"""Whose an endpoint is and which secrets sign for it, on a real database."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from chassis.call import Actor, Call, Grant
from chassis.clock import now
from chassis.errors import Forbidden
from services.notifications.models import Department
from services.notifications.webhooks import (
    access,
    contents,
    endpoints,
    keys,
)
from services.notifications.webhooks.errors import (
    LastSecret,
    TooManySecrets,
    UnknownWebhook,
)
from services.notifications.webhooks.models import Secret
from tests.integration.notifications.webhook_world import (
    URL,
    administrator,
    department,
)


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


def test_an_administrator_names_a_department_that_there_is(world, session):
    session.merge(Department(code="lamps", name="Lamps", names={}, sequence=1))
    session.flush()

    assert access.owner(session, administrator(), "lamps") == "lamps"
    with pytest.raises(Exception, match="not valid") as unknown:
        access.owner(session, administrator(), "nothing")
    assert unknown.value.errors[0]["code"] == "unknown_department"
