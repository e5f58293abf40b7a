"""Keys that are lost or changed: what it costs whom, on a real database."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from chassis.clock import now
from services.notifications.models import Notification
from services.notifications.webhooks import contents, keys, sealed_robots
from services.notifications.webhooks.errors import KeyLost
from services.notifications.webhooks.models import Secret
from services.notifications.webhooks.sealing import Seal
from tests.integration.notifications.webhook_world import (
    URL,
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
