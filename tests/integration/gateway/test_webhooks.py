"""Webhooks over HTTP: whose they are, what is delivered, and how it is sent again."""

import json
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from standardwebhooks import Webhook

from chassis.clock import iso, now
from chassis.testing import eventually
from tests.integration.gateway.town import COMMUNITY
from tests.integration.notifications.receiver import Receiver
from tests.integration.notifications.robot_vendors import Vendors

SCOPES = ("webhooks:read", "webhooks:write")


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def water(town):
    return town.key({"department": "water"}, *SCOPES)


def assigned(town, department):
    """A ticket that a department was given."""
    clerk = town.people["clerk"]
    ticket = clerk.move(town.file(town.people["resident"]), "acceptance")
    return clerk.move(ticket, "assignment", {"department": department})


def deliveries(client, webhook, **query):
    return client.get(f"webhooks/{webhook['id']}/deliveries", params=query).json()["items"]


def test_a_department_hears_of_its_ticket_by_a_signed_request(town, receiver, water):
    webhook = water.make("webhooks", {"url": receiver.url("/water"), "description": "供水"})
    ticket = assigned(town, "water")

    (heard,) = eventually(
        lambda: [each for each in receiver.of("/water") if ticket["id"] in each.body]
    )
    event = Webhook(webhook["secret"]["secret"]).verify(heard.body, dict(heard.headers))
    assert event["type"] == "linli.tickets.ticket_assigned.v1"
    assert event["subject"] == ticket["id"]
    found = eventually(lambda: deliveries(water, webhook, state="delivered"))
    told = water.get(f"webhooks/{webhook['id']}/deliveries/{found[0]['id']}").json()
    assert told["body"] == heard.body
    assert told["attempts"][0]["status"] == 204
    assert heard.headers["webhook-signature"] not in json.dumps(told)


def test_a_department_s_clerk_sees_their_department_s_alone(town, receiver, water):
    mine = water.make("webhooks", {"url": receiver.url("/mine")})
    everything = town.administrator.make("webhooks", {"url": receiver.url("/all")})
    roads = town.key({"department": "roads"}, *SCOPES)
    clerk = town.people["water_clerk"]

    assert everything["department"] is None
    assert mine["department"] == "water"
    seen = {each["id"] for each in clerk.get("webhooks").json()["items"]}
    assert mine["id"] in seen
    assert everything["id"] not in seen
    for caller, webhook in ((roads, mine), (clerk, everything)):
        for path in ("", "/secrets", "/deliveries"):
            answer = caller.get(f"webhooks/{webhook['id']}{path}")
            assert (answer.status_code, answer.json()["type"]) == (
                404,
                "/problems/unknown_webhook",
            )
        assert caller.delete(f"webhooks/{webhook['id']}").status_code == 404
        assert caller.post(f"webhooks/{webhook['id']}/test").status_code == 404
    assert clerk.patch(f"webhooks/{mine['id']}", {"rate": 60}).json()["rate"] == 60
    assert (
        roads.post("webhooks", {"url": "https://x.example", "department": "water"}).status_code
        == 403
    )
    assert {mine["id"], everything["id"]} <= {
        each["id"] for each in town.administrator.get("webhooks").json()["items"]
    }


def test_who_has_no_department_has_no_webhooks(town):
    for caller in (town.people["clerk"], town.people["secretary"], town.people["resident"]):
        assert caller.get("webhooks").status_code == 403
        assert caller.post("webhooks", {"url": "https://x.example"}).status_code == 403
    assert town.nobody.get("webhooks").status_code == 401
    reads_only = town.key({"department": "water"}, "webhooks:read")
    assert reads_only.get("webhooks").status_code == 200
    assert reads_only.post("webhooks", {"url": "https://x.example"}).status_code == 403


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://10.0.0.1/", "address_refused"),
        ("https://[64:ff9b::7f00:1]/", "address_refused"),
        ("https://2852039166/", "address_refused"),
        ("https://a:b@hooks.example.org/", "user_in_url"),
        ("https://hooks.example.org/#x", "fragment_in_url"),
    ],
)
def test_an_address_inside_is_refused_when_it_is_given(water, url, code):
    refused = water.post("webhooks", {"url": url})

    assert refused.status_code == 422
    assert [(each["pointer"], each["code"]) for each in refused.json()["errors"]] == [
        ("/url", code)
    ]


def test_an_event_that_there_is_not_is_refused(water):
    types = ["linli.tickets.ticket_filed.v1", "linli.tickets.ticket_lost.v1"]

    refused = water.post("webhooks", {"url": "https://hooks.example.org/", "types": types})

    assert [(each["pointer"], each["code"]) for each in refused.json()["errors"]] == [
        ("/types/1", "unknown_event_type")
    ]


def test_a_secret_is_shown_once_and_changed_without_a_rejected_delivery(town, receiver, water):
    webhook = water.make("webhooks", {"url": receiver.url("/rotated")})
    path = f"webhooks/{webhook['id']}"
    first = webhook["secret"]["secret"]
    headers = {"Idempotency-Key": str(uuid4())}
    second = water.make(f"{path}/secrets", None, headers=headers)
    repeated = water.make(f"{path}/secrets", None, headers=headers)

    assert repeated["id"] == second["id"]
    assert repeated["secret"] != second["secret"]
    listed = water.get(f"{path}/secrets").json()["items"]
    assert len(listed) == 2
    assert not any("secret" in each for each in listed)
    assert [each["ends_at"] is None for each in listed] == [False, True]
    assert "whsec_" not in water.get(path).text

    water.make(f"{path}/test", None)
    (heard,) = eventually(lambda: receiver.of("/rotated"))
    for secret in (first, repeated["secret"]):
        Webhook(secret).verify(heard.body, dict(heard.headers))
    assert water.delete(f"{path}/secrets/{listed[1]['id']}").json()["type"].endswith("last_secret")
    assert water.delete(f"{path}/secrets/{listed[0]['id']}").status_code == 204


def test_a_webhook_is_changed_only_as_it_was_read(water, receiver):
    webhook = water.make("webhooks", {"url": receiver.url("/changed")})
    path = f"webhooks/{webhook['id']}"
    tag = {"If-Match": water.get(path).headers["ETag"]}

    changed = water.patch(path, {"area": COMMUNITY, "ordered": True}, headers=tag)
    stale = water.patch(path, {"rate": 5}, headers=tag)

    assert (changed.json()["area"], changed.json()["ordered"]) == (COMMUNITY, True)
    assert stale.status_code == 412
    assert water.delete(path).status_code == 204
    assert water.get(path).status_code == 404


def test_one_event_or_all_of_a_time_are_sent_again_under_the_same_id(town, receiver, water):
    webhook = water.make("webhooks", {"url": receiver.url("/again")})
    path = f"webhooks/{webhook['id']}"
    before = now()
    tested = water.make(f"{path}/test", None)
    eventually(lambda: deliveries(water, webhook, state="delivered"))

    again = water.make(f"{path}/deliveries/{tested['id']}/redelivery", None)
    assert again["id"] == tested["id"]
    eventually(lambda: len(receiver.of("/again")) == 2)
    eventually(lambda: deliveries(water, webhook, state="delivered"))
    span = {"from": iso(before), "to": iso(now() + timedelta(seconds=1))}
    assert water.make(f"{path}/replays", {**span, "failed_only": True}) == {
        "requeued": 0,
        "next": None,
    }
    assert water.make(f"{path}/replays", span)["requeued"] == 1
    heard = eventually(lambda: len(receiver.of("/again")) == 3 and receiver.of("/again"))
    assert {each.headers["webhook-id"] for each in heard} == {tested["event"]}


def test_what_was_missed_while_it_was_off_is_replayed(town, receiver, water):
    webhook = water.make("webhooks", {"url": receiver.url("/off")})
    path = f"webhooks/{webhook['id']}"
    before = now()
    off = water.patch(path, {"active": False}).json()
    assert (off["state"], off["reason"]) == ("disabled", "by_hand")
    assert water.post(f"{path}/test").json()["type"] == "/problems/webhook_not_active"
    ticket = assigned(town, "water")
    eventually(lambda: deliveries(water, webhook, state="skipped"))

    assert water.patch(path, {"active": True}).json()["state"] == "active"
    span = {"from": iso(before), "to": iso(now() + timedelta(seconds=1)), "failed_only": True}
    assert water.make(f"{path}/replays", span)["requeued"] == 1
    (heard,) = eventually(lambda: receiver.of("/off"))
    assert json.loads(heard.body)["subject"] == ticket["id"]


def test_who_made_a_webhook_is_told_that_it_was_disabled(town, receiver):
    clerk = town.people["water_clerk"]
    webhook = clerk.make("webhooks", {"url": receiver.url("/gone", status=410)})

    clerk.make(f"webhooks/{webhook['id']}/test", None)

    def told():
        return [
            each
            for each in clerk.get("inbox").json()["items"]
            if each["purpose"] == "webhook_disabled"
        ]

    (item,) = eventually(told)
    assert "127.0.0.1" in item["body"]
    assert (item["ticket"], item["number"]) == (None, None)
    gone = clerk.get(f"webhooks/{webhook['id']}").json()
    assert (gone["state"], gone["reason"]) == ("disabled", "gone")


@pytest.mark.parametrize("vendor", ["wecom", "dingtalk", "feishu"])
def test_a_group_hears_of_its_department_s_ticket_and_nobody_reads_the_robot_s_key(
    town, water, vendor
):
    key = f"key-{uuid4()}"
    secret = None if vendor == "wecom" else f"SEC{uuid4().hex}"
    with Vendors() as vendors:
        bot, url = vendors.bot(vendor, key, secret=secret)
        made = water.post("webhooks", {"format": vendor, "url": url, "robot_secret": secret})
        path = f"webhooks/{made.json()['id']}"
        ticket = assigned(town, "water")

        (said,) = eventually(lambda: [each for each in bot.said if ticket["number"] in each])
        found = eventually(lambda: deliveries(water, made.json(), state="delivered"))

    assert "工单已派单" in said.splitlines()[0]
    assert (made.status_code, made.json()["format"], made.json()["secret"]) == (201, vendor, None)
    assert made.json()["url"] == vendors.url(vendor, "…")
    told = water.get(f"{path}/deliveries/{found[0]['id']}")
    assert told.json()["attempts"][0]["url"] == vendors.url(vendor, "…")
    changed = water.patch(path, {"robot_secret": secret, "description": "群"})
    for answer in (made, told, changed, water.get(path), water.get("webhooks")):
        assert answer.ok
        assert key not in answer.text
        assert secret is None or secret not in answer.text
    refused = water.post(f"{path}/secrets")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/not_for_robots")


def test_a_robot_s_masked_address_is_not_taken_for_its_address(water):
    url = "https://open.feishu.cn/open-apis/bot/v2/hook/"
    robot = water.make("webhooks", {"format": "feishu", "url": f"{url}key-{uuid4()}"})

    refused = water.patch(f"webhooks/{robot['id']}", {"url": robot["url"]})
    elsewhere = water.patch(f"webhooks/{robot['id']}", {"url": "https://hooks.example.org/"})

    assert robot["url"] == f"{url}…"
    assert refused.status_code == 422
    assert [(each["pointer"], each["code"]) for each in elsewhere.json()["errors"]] == [
        ("/url", "not_this_robot")
    ]
