"""Keys that are lost or changed: what it costs whom, on a real database."""

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from chassis.clock import now
from services.notifications.models import Notification
from services.notifications.webhooks import contents, keys, resealing, sealed_robots
from services.notifications.webhooks.errors import KeyLost
from services.notifications.webhooks.models import Delivery, Endpoint, Secret
from services.notifications.webhooks.sealing import Seal
from tests.integration.notifications.webhook_world import (
    URL,
    World,
    administrator,
    department,
)

ROBOTS = {
    "wecom": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=",
    "dingtalk": "https://oapi.dingtalk.com/robot/send?access_token=",
}
STRANGE = Seal(b"nobody has this key: 32 bytes ..")


def lose(session: Session, endpoint: UUID) -> None:
    """Leave an endpoint's secrets as if their key had gone."""
    sealed = STRANGE.close(endpoint, "whsec_x")
    session.execute(update(Secret).where(Secret.endpoint == endpoint).values(sealed=sealed))
    session.commit()


def test_one_secret_that_does_not_open_disables_its_endpoint_and_the_others_go_on(world, session):
    maker = department("water", "person")
    lost, other = world.endpoint(URL, maker), world.endpoint(URL)
    robot = world.endpoint(ROBOTS["wecom"] + "a", format="wecom")
    robot.change(robot=STRANGE.close(robot.id, '["x", null]'))
    lose(session, lost.id)
    world.filed(department="water")

    taken = world.claim(session)
    session.commit()

    assert [each.endpoint for each in taken] == [other.id]
    for each in (lost, robot):
        assert (each.row.state, each.row.reason) == ("disabled", "key_lost")
        assert each.states == ["queued"]
    told = select(Notification.purpose).where(Notification.person == UUID(maker.actor.id))
    assert session.scalars(told).all() == ["webhook_disabled"]


def test_another_secret_brings_the_endpoint_back_with_what_waited(world, session):
    endpoint, call = world.endpoint(URL), administrator()
    lose(session, endpoint.id)
    world.filed()
    world.claim(session)
    session.commit()

    known = {"overlap": timedelta(hours=24), "at": now()}
    text = keys.rotate(session, call, endpoint.id, world.seal, **known)["secret"]
    session.commit()
    world.change(endpoint, active=True)

    (taken,) = world.claim(session)
    # The lost one would sign for a day yet, and is left out.
    assert taken.secrets == (text,)


def test_an_endpoint_whose_newest_secret_does_not_open_has_none(world, session):
    endpoint, call = world.endpoint(URL), administrator()
    keys.rotate(session, call, endpoint.id, STRANGE, overlap=timedelta(hours=24), at=now())

    live = contents.live_secrets(session, world.seal, {endpoint.id}, now())

    assert live == {endpoint.id: ()}


@pytest.mark.parametrize(
    ("vendor", "part", "whole"),
    [
        ("dingtalk", {"url": ROBOTS["dingtalk"] + "b"}, {"robot_secret": "SEC"}),
        ("dingtalk", {"robot_secret": "SEC"}, {"url": ROBOTS["dingtalk"] + "b"}),
        ("wecom", {}, {"url": ROBOTS["wecom"] + "b"}),
    ],
)
def test_a_robot_that_does_not_open_is_given_anew_as_a_whole(world, vendor, part, whole):
    robot = world.endpoint(ROBOTS[vendor] + "a", format=vendor)
    robot.change(robot=STRANGE.close(robot.id, '["x", null]'))

    if part:
        with pytest.raises(KeyLost):
            world.change(robot, **part)
    world.change(robot, **part, **whole)

    opened = sealed_robots.opened(world.seal, robot.id, robot.row.robot)
    assert (opened.url, opened.secret) == (ROBOTS[vendor] + "b", (part | whole).get("robot_secret"))


OLD, NEW = bytes(31) + b"o", bytes(31) + b"n"
COMMA = ",".join(base64.b64encode(key).decode() for key in (OLD, NEW))


@pytest.fixture
def under_old(world: World, session: Session) -> tuple[Any, Any]:
    """An endpoint and a robot whose secrets the old key sealed, and nothing else that is sealed."""
    session.execute(delete(Secret))
    session.execute(delete(Endpoint).where(~exists().where(Delivery.endpoint == Endpoint.id)))
    session.execute(update(Endpoint).values(format="standard", robot=None))
    session.commit()
    old = World(world.engine, {**world.environ, "LINLI_WEBHOOK_KEY": COMMA.partition(",")[0]})
    return old.endpoint(URL), old.endpoint(ROBOTS["wecom"] + "a", format="wecom")


def reseal(world: World, told: Callable[[int], None] = lambda _: None) -> dict[str, int]:
    return resealing.reseal({**world.environ, "LINLI_WEBHOOK_KEY": COMMA}, told, batch=1)


def test_a_new_key_seals_anew_what_the_older_one_sealed_and_then_that_can_go(
    world, under_old, session
):
    endpoint, robot = under_old

    assert resealing.opened_by(session, (OLD, NEW)) == {"newest": 0, "older": 2, "none": 0}
    assert reseal(world) == {"newest": 2, "older": 0, "none": 0}

    session.rollback()
    live = contents.live_secrets(session, Seal(NEW), {endpoint.id}, now())
    assert live == {endpoint.id: (endpoint.secret,)}
    assert sealed_robots.opened(Seal(NEW), robot.id, robot.row.robot).url == ROBOTS["wecom"] + "a"


def test_it_is_interrupted_and_begun_again(world, under_old, session):
    def interrupt(done: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reseal(world, interrupt)
    assert resealing.opened_by(session, (OLD, NEW)) == {"newest": 1, "older": 1, "none": 0}

    heard: list[int] = []
    assert reseal(world, heard.append) == {"newest": 2, "older": 0, "none": 0}
    assert heard[-1] == 1
    assert reseal(world, heard.append) == {"newest": 2, "older": 0, "none": 0}
    assert heard[-1] == 0


def test_what_somebody_is_changing_is_left_and_told_and_so_is_what_no_key_opens(
    world, under_old, session
):
    endpoint, robot = under_old
    lose(session, endpoint.id)
    session.execute(select(Endpoint).where(Endpoint.id == robot.id).with_for_update())

    assert reseal(world) == {"newest": 0, "older": 1, "none": 1}

    session.rollback()
    assert reseal(world) == {"newest": 1, "older": 0, "none": 1}
