"""Group robots: how each is signed, where it is, what its answers mean, what it says."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.schemas.webhooks import WEBHOOK_FORMATS
from services.notifications.webhooks import robots, sayings
from services.notifications.webhooks.addresses import UrlRefused, parse_networks
from services.notifications.webhooks.event_types import EVENT_TYPES, TEST, TICKET_EVENTS
from services.notifications.webhooks.robots import HIDDEN, VENDORS, Robot
from services.notifications.webhooks.sending import FORMATS

KEY = "693a91f6-7c0a-4bc4-97a0-0ec2sifa5aaa"
URLS = {
    "wecom": f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}",
    "dingtalk": f"https://oapi.dingtalk.com/robot/send?access_token={KEY}",
    "feishu": f"https://open.feishu.cn/open-apis/bot/v2/hook/{KEY}",
}
AT = datetime.fromtimestamp(1599360473, UTC)
LOOPBACK = parse_networks("127.0.0.0/8")
each_vendor = pytest.mark.parametrize("vendor", [*VENDORS])


def hmac_sha256(key: str, text: str) -> str:
    digest = hmac.new(key.encode(), text.encode(), digestmod=hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


# `openssl dgst -sha256 -mac HMAC` said so, for the secret and the time of the vendors' samples.
def test_dingtalk_s_signature_is_known():
    signed = robots.dingtalk_sign("this is secret", 1599360473000)

    assert signed == "hXZTWifRGHclNuZSKxoXc//sh51SWfVfRIhcdeKs63I="


def test_feishu_s_signature_is_known():
    assert robots.feishu_sign("demo", 1599360473) == "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="


def test_dingtalk_is_signed_in_its_url_by_the_millisecond():
    message = robots.dingtalk(Robot(URLS["dingtalk"], "SEC1"), "你好", AT)

    query = {name: values[0] for name, values in parse_qs(urlsplit(message.url).query).items()}
    signed = hmac_sha256("SEC1", "1599360473000\nSEC1")
    assert query == {"access_token": KEY, "timestamp": "1599360473000", "sign": signed}
    assert json.loads(message.body) == {"msgtype": "text", "text": {"content": "你好"}}


def test_feishu_is_signed_in_its_body_by_the_second():
    message = robots.feishu(Robot(URLS["feishu"], "demo"), "你好", AT)

    assert message.url == URLS["feishu"]
    assert json.loads(message.body) == {
        "timestamp": "1599360473",
        "sign": hmac_sha256("1599360473\ndemo", ""),
        "msg_type": "text",
        "content": {"text": "你好"},
    }


def test_wecom_is_not_signed():
    message = robots.wecom(Robot(URLS["wecom"], None), "你好", AT)

    assert message.url == URLS["wecom"]
    assert json.loads(message.body) == {"msgtype": "text", "text": {"content": "你好"}}


@pytest.mark.parametrize("send", [robots.dingtalk, robots.feishu])
def test_a_robot_without_a_secret_is_not_signed(send):
    message = send(Robot("https://robot.example/x", None), "你好", AT)

    assert message.url == "https://robot.example/x"
    assert b"sign" not in message.body


@each_vendor
def test_the_address_that_the_vendor_gives_is_taken_and_its_key_hidden(vendor):
    VENDORS[vendor].check(URLS[vendor], ())

    assert VENDORS[vendor].key(URLS[vendor]) == KEY
    assert VENDORS[vendor].masked(URLS[vendor]) == URLS[vendor].replace(KEY, HIDDEN)
    for shown in (
        Robot(URLS[vendor], "SEC1"),
        VENDORS[vendor].message(Robot(URLS[vendor], "SEC1"), "", AT),
    ):
        assert KEY not in repr(shown)
        assert "SEC1" not in repr(shown)


@each_vendor
@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace("https", "http"),
        lambda url: url.replace("://", "://evil.example/"),
        lambda url: url.replace(".com", ".com.evil.example").replace(".cn", ".cn.evil.example"),
        lambda url: url.replace(KEY, HIDDEN),
        lambda url: url.replace(KEY, ""),
        lambda url: f"{url}&debug=1",
        lambda url: f"{url}/..",
        lambda url: url.replace(".com/", ".com:8443/").replace(".cn/", ".cn:8443/"),
        lambda url: f"https://127.0.0.1/{url.split('/', 3)[3]}",
    ],
    ids=["http", "host", "lookalike", "masked", "keyless", "more", "up", "port", "loopback"],
)
def test_no_other_address_is_taken(vendor, change):
    with pytest.raises(UrlRefused) as refused:
        VENDORS[vendor].check(change(URLS[vendor]), ())

    assert refused.value.code == "not_this_robot"


@each_vendor
def test_somebody_may_stand_in_where_a_setting_lets_us_through(vendor):
    place = URLS[vendor].split("/", 3)[3]

    VENDORS[vendor].check(f"http://127.0.0.1:8080/{place}", LOOPBACK)
    for url in (f"http://localhost:8080/{place}", f"http://10.0.0.1/{place}", "http://127.0.0.1/"):
        with pytest.raises(UrlRefused):
            VENDORS[vendor].check(url, LOOPBACK)


def test_nobody_is_sent_more_than_is_documented():
    assert {name: vendor.rate for name, vendor in VENDORS.items()} == {
        "wecom": 20,
        "dingtalk": 20,
        "feishu": 100,
    }
    assert all(vendor.most < vendor.rate for vendor in VENDORS.values())


@pytest.mark.parametrize(
    ("vendor", "answer", "reason"),
    [
        ("wecom", '{"errcode":0,"errmsg":"ok"}', "delivered"),
        ("wecom", '{"errcode":45009,"errmsg":"api freq out of limit"}', "throttled"),
        ("wecom", '{"errcode":93000,"errmsg":"invalid webhook url"}', "robot_refused"),
        ("dingtalk", '{"errcode":0,"errmsg":"ok"}', "delivered"),
        ("dingtalk", '{"errcode":130101,"errmsg":"send too fast"}', "throttled"),
        ("dingtalk", '{"errcode":410100,"errmsg":"发送速度太快而限流"}', "throttled"),
        ("dingtalk", '{"errcode":90030,"errmsg":"webhook over limit"}', "throttled"),
        ("dingtalk", '{"errcode":-1,"errmsg":"Too many requests, send too fast"}', "throttled"),
        ("dingtalk", '{"errcode":310000,"errmsg":"sign not match"}', "robot_refused"),
        ("feishu", '{"code":0,"msg":"success","data":{}}', "delivered"),
        ("feishu", '{"code":11232,"msg":"frequency limited"}', "throttled"),
        ("feishu", '{"code":9499,"msg":"too many request"}', "throttled"),
        ("feishu", '{"code":9499,"msg":"Bad Request"}', "robot_refused"),
        ("feishu", '{"code":19021,"msg":"sign match fail"}', "robot_refused"),
        ("feishu", '{"code":"19021"}', "robot_refused"),
        ("feishu", '{"code":[0]}', "robot_refused"),
        ("wecom", "<html>", "protocol_error"),
        ("wecom", "[]", "protocol_error"),
        ("wecom", "7", "protocol_error"),
        ("wecom", "{}", "protocol_error"),
        ("wecom", "[" * 16_000, "protocol_error"),
    ],
)
def test_what_an_answer_means_stands_in_its_body(vendor, answer, reason):
    assert VENDORS[vendor].understand(answer) == reason


@given(st.text() | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_no_answer_is_too_strange(answer):
    assert all(vendor.understand(answer) != "delivered" for vendor in VENDORS.values())


def event(event_type: str, **data: object) -> str:
    return json.dumps({"type": event_type, "data": data})


ASSIGNED = event(
    "linli.tickets.ticket_assigned.v1",
    number="20260801-000042",
    state="assigned",
    department="water",
    area="340603008002.e1.g1",
    priority="urgent",
)


def test_a_group_reads_what_happened_to_which_ticket():
    assert sayings.say(ASSIGNED, {"water": "供水公司"}).splitlines() == [
        "【邻里】〔紧急〕工单已派单",
        "编号：20260801-000042",
        "状态：已派单",
        "部门：供水公司",
        "地点：340603008002.e1.g1",
    ]


def test_a_department_whose_name_is_not_known_goes_by_its_code():
    assert "部门：water" in sayings.say(ASSIGNED, {}).splitlines()


def test_it_can_be_said_in_english():
    assert sayings.say(ASSIGNED, {"water": "Water"}, "en").splitlines() == [
        "[Linli] (urgent) Ticket assigned",
        "Number: 20260801-000042",
        "State: assigned",
        "Department: Water",
        "Place: 340603008002.e1.g1",
    ]


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_every_event_of_a_ticket_has_words_of_its_own(locale):
    said = {
        sayings.say(event(each, number="1", state="filed"), {}, locale).splitlines()[0]
        for each in TICKET_EVENTS
    }

    unknown = sayings.say(event("linli.tickets.ticket_lost.v1", number="1"), {}, locale)
    assert len(said) == len(TICKET_EVENTS)
    assert unknown.splitlines()[0] not in said


@pytest.mark.parametrize("name", ["filed", "accepted", "assigned", "in_progress", "resolved",
                                  "closed", "refused", "withdrawn"])  # fmt: skip
def test_every_state_has_words(name):
    said = sayings.say(event("linli.tickets.ticket_filed.v1", number="1", state=name), {})

    assert "状态：" in said
    assert name not in said


def test_who_somebody_is_is_never_said():
    people = {name: f"{name}-of-somebody" for name in ("reporter", "actor", "assignee")}
    said = sayings.say(event("linli.tickets.ticket_filed.v1", number="1", **people), {})

    assert "somebody" not in said


def test_other_events_get_one_line():
    others = [each for each in EVENT_TYPES if each not in TICKET_EVENTS]
    for each in others:
        said = sayings.say(event(each, code="340603008002", name="张三", area="x"), {})
        assert said == f"【邻里】登记信息有变更（{each}）"
    assert sayings.say(event(TEST, webhook="x"), {}) == "【邻里】测试消息：机器人已接通"


def test_every_format_can_be_asked_for_and_sent():
    assert tuple(FORMATS) == WEBHOOK_FORMATS == robots.FORMATS
