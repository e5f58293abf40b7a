"""Group robots by a real sender, over real HTTP, to servers that verify as the vendors do."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.clock import now
from chassis.errors import Invalid
from chassis.testing import eventually
from services.notifications.models import Department
from services.notifications.webhooks import endpoints, keys, log, replays
from services.notifications.webhooks.errors import NotForRobots
from services.notifications.webhooks.models import Attempt
from services.notifications.webhooks.robots import VENDORS
from tests.integration.notifications.robot_vendors import Vendors
from tests.integration.notifications.webhook_world import SenderProcess, World, administrator, told
from tests.integration.notifications.world import TicketStory, department_event

SECRETS = {"wecom": None, "dingtalk": "SEC-of-a-group", "feishu": "secret-of-a-group"}
each_vendor = pytest.mark.parametrize("vendor", [*VENDORS])
signing_vendor = pytest.mark.parametrize("vendor", ["dingtalk", "feishu"])


@pytest.fixture(scope="module")
def vendors() -> Iterator[Vendors]:
    with Vendors() as vendors:
        yield vendors


@pytest.fixture(scope="module")
def sender(engine: Engine, webhook_environ: dict[str, str]) -> Iterator[SenderProcess]:
    with World(engine, webhook_environ).sender() as sender:
        yield sender


@pytest.fixture
def world(engine: Engine, webhook_environ: dict[str, str], sender: SenderProcess) -> World:
    return World(engine, webhook_environ)


def a_key() -> str:
    """The key of a robot, which nothing else could have written."""
    return f"key-{uuid4()}"


def a_robot(world: World, vendors: Vendors, vendor: str, **options: Any) -> Any:
    """A robot in a group, and the endpoint of it, signed as its vendor does if at all."""
    secret = SECRETS[vendor]
    bot, url = vendors.bot(vendor, a_key(), secret=secret, **options)
    return bot, world.endpoint(url, format=vendor, robot_secret=secret)


def in_the_log(world: World, endpoint: Any) -> str:
    """All that the endpoint's readers can see of it."""
    call = administrator()
    with Session(world.engine) as session:
        seen: list[Any] = [endpoints.page(session, call, {"after": None, "limit": 200})]
        seen += [
            log.one(session, call, {"id": endpoint.id, "delivery": delivery.id})
            for delivery in endpoint.deliveries
        ]
    return json.dumps(seen, ensure_ascii=False)


@each_vendor
def test_a_group_reads_of_a_ticket_in_its_own_words(world, vendors, vendor):
    bot, endpoint = a_robot(world, vendors, vendor)
    event = told(
        TicketStory(area="340603008002.e1", state="filed", priority="normal").event("filed")
    )

    world.arrive(event)

    eventually(lambda: endpoint.states == ["delivered"])
    assert bot.said == [
        f"【邻里】新工单\n编号：{event.data['number']}\n状态：已登记\n地点：340603008002.e1"
    ]
    assert endpoint.reasons == ["delivered"]


def test_the_department_is_called_by_its_name(world, vendors):
    with Session(world.engine) as session, session.begin():
        code = f"d{uuid4().hex[:8]}"
        names = {"zh": "供水公司", "en": "Water"}
        session.add(Department(code=code, name="供水公司", names=names, sequence=1))
    bot, _ = a_robot(world, vendors, "feishu")

    world.arrive(told(TicketStory(department=code, state="assigned").event("assigned")))

    (said,) = eventually(lambda: bot.said)
    assert "部门：供水公司" in said.splitlines()


@each_vendor
def test_its_key_and_its_secret_are_nowhere_to_be_read(world, vendors, vendor, sender):
    bot, endpoint = a_robot(world, vendors, vendor)
    gone, url = vendors.bot(vendor, a_key())
    refused = world.endpoint(url, format=vendor)
    del vendors.bots[gone.key]

    world.filed()

    eventually(lambda: endpoint.reasons == ["delivered"])
    eventually(lambda: "robot_refused" in refused.reasons)
    with Session(world.engine) as session:
        stored = str(session.execute(text("SELECT * FROM webhook_endpoint")).all())
        stored += str(session.execute(text("SELECT * FROM webhook_attempt")).all())
    for read in (stored, in_the_log(world, endpoint), in_the_log(world, refused), sender.log):
        assert bot.key not in read
        assert gone.key not in read
        assert bot.secret is None or bot.secret not in read
    assert endpoint.row.url == vendors.url(vendor, "…")
    assert endpoint.attempts[0].url == vendors.url(vendor, "…")


@signing_vendor
def test_a_wrong_secret_is_refused_in_the_vendor_s_words_and_a_new_one_helps(
    world, vendors, vendor
):
    bot, url = vendors.bot(vendor, a_key(), secret="the right one")
    endpoint = world.endpoint(url, format=vendor, robot_secret="a wrong one")

    world.filed()

    eventually(lambda: "robot_refused" in endpoint.reasons)
    first: Attempt = endpoint.attempts[0]
    assert (first.status, first.reason) == (200, "robot_refused")
    assert "sign" in first.excerpt
    assert bot.said == []
    assert "the right one" not in json.dumps(
        world.change(endpoint, robot_secret="the right one"), ensure_ascii=False
    )
    endpoint.change(tokens=1.0, ready_at=now())
    eventually(lambda: endpoint.states == ["delivered"], within=15)
    assert len(bot.said) == 1


@each_vendor
def test_a_robot_that_has_gone_is_refused_on_the_schedule_and_by_the_breaker(
    world, vendors, vendor
):
    endpoint = world.endpoint(vendors.url(vendor, a_key()), format=vendor)

    world.filed()

    eventually(lambda: "robot_refused" in endpoint.reasons)
    row = endpoint.row
    assert (row.state, row.failing_since is None) == ("active", False)
    assert row.failures >= 1
    assert endpoint.attempts[0].next_attempt_at is not None


@pytest.mark.parametrize(
    ("vendor", "pause", "told"),
    [
        ("wecom", 60, {}),
        ("feishu", 60, {}),
        *(("dingtalk", 600, {"busy": code}) for code in (130101, 410100, 90030)),
    ],
)
def test_what_comes_too_often_leaves_the_robot_alone_for_as_long_as_it_is_deaf(
    world, vendors, vendor, pause, told
):
    bot, endpoint = a_robot(world, vendors, vendor, most=0, **told)
    before = now()

    world.filed()

    eventually(lambda: endpoint.reasons == ["throttled"])
    assert bot.said == []
    patient = before + timedelta(seconds=pause)
    assert endpoint.row.ready_at >= patient
    assert endpoint.attempts[0].next_attempt_at >= patient


@each_vendor
def test_a_robot_s_rate_is_no_higher_than_its_vendor_s(world, vendors, vendor):
    _, endpoint = a_robot(world, vendors, vendor)
    most = VENDORS[vendor].most

    assert endpoint.row.rate == most
    assert world.change(endpoint, rate=60_000)["rate"] == most
    assert world.change(endpoint, rate=1)["rate"] == 1


def test_a_server_that_repeats_the_address_gives_no_key_away(world, vendors):
    key = a_key()
    endpoint = world.endpoint(vendors.url("wecom", key), format="wecom")
    sealed = endpoint.row.robot
    assert sealed is not None
    # As if it had been let through: an address at which this vendor has nothing.
    stray = vendors.url("wecom", key).replace("/cgi-bin/webhook/", "/elsewhere/")
    endpoint.change(robot=world.seal.close(endpoint.id, json.dumps([stray, None])))

    world.filed()

    eventually(lambda: "client_error" in endpoint.reasons)
    assert any(key in path for path in vendors.paths)
    assert "Cannot POST" in endpoint.attempts[0].excerpt
    assert key not in in_the_log(world, endpoint)


def test_what_nobody_foresaw_counts_as_a_failure_and_gives_no_key_away(world, vendors, sender):
    bot, unreadable = a_robot(world, vendors, "wecom")
    _, unknown = a_robot(world, vendors, "feishu")
    unknown.change(format="of a later version")
    event = told(TicketStory().event("filed"))

    world.arrive(replace(event, body=f"no JSON, and {bot.key}"))

    for endpoint in (unreadable, unknown):
        eventually(lambda endpoint=endpoint: "sender_failed" in endpoint.reasons)
        assert endpoint.row.failures >= 1
        assert endpoint.attempts[0].next_attempt_at is not None
    lines = [json.loads(line) for line in sender.log.splitlines()]
    said = [line for line in lines if line["event"] == "webhook_not_foreseen"]
    assert {str(unreadable.id), str(unknown.id)} <= {line["endpoint_id"] for line in said}
    assert {"JSONDecodeError", "KeyError"} <= {line["error"] for line in said}
    assert bot.key not in sender.log


def test_a_group_hears_of_tickets_alone_unless_it_asks_for_more(world, vendors):
    bot, quiet = a_robot(world, vendors, "wecom")
    curious, url = vendors.bot("wecom", a_key())
    types = ["linli.residents.department_changed.v1"]
    asked = world.endpoint(url, format="wecom", types=types)

    world.arrive(told(department_event("changed", 1, code="water", name="供水公司")))

    eventually(lambda: asked.states == ["delivered"])
    assert curious.said == [f"【邻里】登记信息有变更（{types[0]}）"]
    assert quiet.deliveries == []
    assert bot.said == []


def test_a_robot_is_tried_with_a_message_that_means_nothing(world, vendors):
    bot, endpoint = a_robot(world, vendors, "dingtalk")

    with Session(world.engine) as session, session.begin():
        replays.test(session, administrator(), endpoint.id, now())

    eventually(lambda: endpoint.states == ["delivered"])
    assert bot.said == ["【邻里】测试消息：机器人已接通"]


def test_a_robot_moves_to_another_address_and_keeps_its_secret(world, vendors):
    _, endpoint = a_robot(world, vendors, "feishu")
    bot, url = vendors.bot("feishu", a_key(), secret=SECRETS["feishu"])

    assert world.change(endpoint, url=url)["url"] == vendors.url("feishu", "…")
    world.filed()

    eventually(lambda: endpoint.states == ["delivered"])
    assert len(bot.said) == 1


@pytest.mark.parametrize(
    ("wanted", "pointer", "code"),
    [
        ({"format": "wecom", "robot_secret": "x"}, "/robot_secret", "no_robot_secret"),
        ({"robot_secret": "x"}, "/robot_secret", "no_robot_secret"),
        ({"format": "wecom", "handshake": True}, "/handshake", "not_for_robots"),
        ({"format": "feishu"}, "/url", "not_this_robot"),
    ],
    ids=["wecom", "standard", "handshake", "another's"],
)
def test_what_a_robot_does_not_have_is_refused(world, vendors, wanted, pointer, code):
    with pytest.raises(Invalid) as refused:
        world.endpoint(vendors.url("wecom", a_key()), **wanted)

    assert [(each["pointer"], each["code"]) for each in refused.value.errors] == [(pointer, code)]


def test_a_robot_gets_no_secret_of_ours(world, vendors):
    _, endpoint = a_robot(world, vendors, "dingtalk")

    assert endpoint.secret == ""
    known = {"overlap": world.settings.overlap, "at": now()}
    with Session(world.engine) as session, pytest.raises(NotForRobots):
        keys.rotate(session, administrator(), endpoint.id, world.seal, **known)


def test_no_robot_is_kept_without_being_sealed(world, vendors):
    _, endpoint = a_robot(world, vendors, "wecom")

    with pytest.raises(IntegrityError, match="webhook_endpoint_robot_sealed"):
        endpoint.change(robot=None)
