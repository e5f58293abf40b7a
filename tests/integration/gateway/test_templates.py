"""What messages say, edited over HTTP."""

import pytest

from chassis.testing import eventually

SMS = "templates/ticket_sent_back/email/en"
KEY = ("purpose", "channel", "locale")
PARTS = {
    "subject": "Edited {{ number }}",
    "text": "Edited: {{ number }}",
    "html": "<p>Edited: {{ number }}</p>",
}


def etag(client, path=SMS):
    return {"If-Match": client.get(path).headers["ETag"]}


def test_an_administrator_edits_what_a_message_says_and_goes_back(town):
    admin = town.administrator
    shipped = admin.get(SMS).json()
    before = etag(admin)

    edited = admin.request("PUT", SMS, json={"parts": PARTS}, headers=before)
    stale = admin.request("PUT", SMS, json={"parts": PARTS}, headers=before)
    blind = admin.request("PUT", SMS, json={"parts": PARTS})
    reverted = admin.delete(SMS, headers=etag(admin))

    assert (edited.status_code, edited.json()["parts"]) == (200, PARTS)
    assert edited.json()["versions"][0]["by"] == town.ids["administrator"]
    assert (stale.status_code, blind.status_code) == (412, 428)
    assert reverted.json()["parts"] == shipped["parts"] == shipped["shipped"]
    assert [each["is_shipped"] for each in reverted.json()["versions"][:2]] == [True, False]


def test_all_templates_are_listed_with_what_was_edited(town):
    admin = town.administrator

    def edited():
        items = admin.get("templates").json()["items"]
        paths = {"/".join(("templates", *(e[k] for k in KEY))): e["is_shipped"] for e in items}
        assert len(paths) == len(items)
        assert all(admin.get(path).status_code == 200 for path in paths)
        return {path for path, is_shipped in paths.items() if not is_shipped}

    assert edited() == set()
    admin.request("PUT", SMS, json={"parts": PARTS}, headers=etag(admin))
    assert edited() == {SMS}
    admin.delete(SMS, headers=etag(admin))
    assert edited() == set()
    assert town.people["clerk"].get("templates").status_code == 403


def test_what_a_message_says_at_once_stands_in_the_inbox(town):
    path = "templates/ticket_filed/inbox/en"
    parts = {"title": "Edited title", "body": "Edited body {{ number }}"}
    town.administrator.request(
        "PUT", path, json={"parts": parts}, headers=etag(town.administrator, path)
    )
    ticket = town.file(town.neighbour)
    try:
        items = eventually(
            lambda: [
                each
                for each in town.neighbour.get("inbox").json()["items"]
                if each["ticket"] == ticket["id"]
            ],
            within=15,
        )
        assert items[-1]["body"] == f"Edited body {ticket['number']}"
    finally:
        town.administrator.delete(path, headers=etag(town.administrator, path))


def test_a_message_is_tried_on_samples_before_it_holds(town):
    tried = town.administrator.post(
        "templates/ticket_filed/sms/zh-CN/preview", {"parts": {"text": "已登记{{ number }}"}}
    ).json()
    assert (tried["parts"]["text"], tried["segments"]) == ("已登记20260801-000042", 1)
    assert town.administrator.get("templates/ticket_filed/sms/zh-CN").json()["is_shipped"]


@pytest.mark.parametrize(
    ("parts", "pointer"),
    [
        ({**PARTS, "text": "{{ number }}\n{{ phone }}"}, "/parts/text/2"),
        ({**PARTS, "html": "{{ number }}\n{% include 'x' %}"}, "/parts/html/2"),
        ({**PARTS, "text": "nothing"}, "/parts/text"),
        ({"subject": "{{ number }}"}, "/parts/text"),
        ({**PARTS, "body": "x"}, "/parts/body"),
        ({**PARTS, "footer": "x"}, "/parts/footer"),
    ],
)
def test_what_is_at_fault_is_pointed_at(town, parts, pointer):
    for path, method in ((SMS, "PUT"), (f"{SMS}/preview", "POST")):
        refused = town.administrator.request(
            method, path, json={"parts": parts}, headers=etag(town.administrator)
        )
        assert refused.status_code == 422
        assert pointer in {fault["pointer"] for fault in refused.json()["errors"]}


def test_only_administrators_say_what_messages_say(town):
    assert town.nobody.get(SMS).status_code == 401
    for who in ("resident", "clerk", "secretary"):
        assert town.people[who].get(SMS).status_code == 403
        put = town.people[who].request("PUT", SMS, json={"parts": PARTS})
        assert put.status_code == 403
    unknown = town.administrator.get("templates/weather/sms/en")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/unknown_template")
