"""What people prefer, over HTTP."""

import pytest

from chassis.testing import eventually


@pytest.fixture
def newcomer(town):
    """Somebody who has never said what they prefer."""
    if "newcomer" not in town.people:
        town.arrive("newcomer", "13800000031")
    return town.newcomer


def test_everybody_sees_what_they_hear_of_and_what_cannot_be_turned_off(newcomer):
    shown = newcomer.get("preferences")

    body = shown.json()
    assert body["purposes"]["ticket_filed"] == {"inbox": True, "email": True, "sms": True}
    assert body["purposes"]["sign_in_code"] == {"sms": True}
    assert (body["digest"], body["time_zone"]) == ("off", "Asia/Shanghai")
    assert [(fixed["channel"], fixed["purpose"]) for fixed in body["fixed"]] == [
        ("inbox", None),
        ("sms", "sign_in_code"),
        ("sms", "phone_changed"),
    ]
    again = newcomer.get("preferences", headers={"If-None-Match": shown.headers["ETag"]})
    assert again.status_code == 304


def test_people_change_what_they_hear_of_and_nobody_elses(town):
    before = town.neighbour.get("preferences").json()
    change = {
        "purposes": {"ticket_started": {"sms": False, "email": False}},
        "quiet_hours": {"from": "21:30", "to": "07:30"},
        "digest": "weekly",
    }

    changed = town.resident.patch("preferences", change).json()

    assert changed["purposes"]["ticket_started"] == {"inbox": True, "email": False, "sms": False}
    assert (changed["quiet_hours"], changed["digest"]) == (change["quiet_hours"], "weekly")
    assert town.resident.get("preferences").json() == changed
    assert town.neighbour.get("preferences").json() == before
    everything = {"purposes": {"ticket_started": {"sms": True, "email": True}}}
    back = town.resident.patch(
        "preferences", {**everything, "quiet_hours": None, "digest": "off"}
    ).json()
    assert back["quiet_hours"] is None
    assert back["purposes"] == before["purposes"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({}, ""),
        ({"purposes": {"sign_in_code": {"sms": False}}}, "/purposes/sign_in_code/sms"),
        ({"purposes": {"ticket_filed": {"inbox": False}}}, "/purposes/ticket_filed/inbox"),
        ({"purposes": {"weather": {"sms": False}}}, "/purposes/weather"),
        ({"purposes": {"task_assigned": {"sms": True}}}, "/purposes/task_assigned/sms"),
        ({"purposes": {"ticket_filed": {"sms": "no"}}}, "/purposes/ticket_filed/sms"),
        ({"quiet_hours": {"from": "24:00", "to": "07:00"}}, "/quiet_hours/from"),
        ({"quiet_hours": {"from": "22:00"}}, "/quiet_hours/to"),
        ({"quiet_hours": {"from": "07:00", "to": "07:00"}}, "/quiet_hours/to"),
        ({"digest": "hourly"}, "/digest"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_what_cannot_be_chosen_is_pointed_at(town, change, pointer):
    refused = town.resident.patch("preferences", change)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == pointer


def test_why_something_stays_on_is_said_in_the_readers_language(town):
    headers = {"Accept-Language": "zh-CN"}
    refused = town.resident.patch(
        "preferences", {"purposes": {"ticket_filed": {"inbox": False}}}, headers=headers
    )
    assert refused.json()["errors"][0]["message"] == "此项不能关闭。"
    fixed = town.resident.get("preferences", headers=headers).json()["fixed"]
    assert "收件箱" in fixed[0]["text"]


def test_a_change_of_what_was_read_before_somebody_else_changed_it_is_refused(town):
    etag = town.clerk.get("preferences").headers["ETag"]
    daily = {"digest": "daily"}
    assert town.clerk.patch("preferences", daily, headers={"If-Match": etag}).ok
    late = town.clerk.patch("preferences", {"digest": "off"}, headers={"If-Match": etag})
    assert (late.status_code, late.json()["type"]) == (412, "/problems/stale")
    assert town.clerk.patch("preferences", {"digest": "off"}).ok


def test_administrators_filter_the_log_of_deliveries(town):
    town.file(town.neighbour)
    mine = f"deliveries?person={town.ids['neighbour']}&purpose=ticket_filed"

    def delivered():
        return town.administrator.get(f"{mine}&state=delivered&channel=sms").json()["items"]

    item = eventually(delivered, within=15)[0]
    assert item["attempts"][0]["reason"] == "delivered"
    assert "13800000002" not in str(item)
    assert town.administrator.get(f"{mine}&reason=expired").json()["items"] == []
    for query, pointer in (("state=lost", "/state"), ("from=yesterday", "/from")):
        refused = town.administrator.get(f"deliveries?{query}")
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
    assert town.clerk.get("deliveries").status_code == 403


def test_preferences_are_for_people_who_have_signed_in(town):
    assert town.nobody.get("preferences").status_code == 401
    water = town.key({"department": "water"}, "tickets:read", "preferences:read")
    assert water.get("preferences").status_code == 403
    narrow = town.key({"person": town.ids["clerk"]}, "preferences:read")
    assert narrow.get("preferences").ok
    assert narrow.patch("preferences", {"digest": "daily"}).status_code == 403
