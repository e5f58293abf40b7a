"""What people write into a ticket is stored without phone and ID numbers, and they are told."""

import pytest

from tests.integration.gateway.town import COMMUNITY, request


def test_a_number_in_a_filing_is_masked_and_the_answer_says_so(town):
    told = {"title": "请打 138-0013-1234", "description": "身份证 11010519491231002X，水管漏水"}

    ticket = town.file(town.resident, **told)

    assert ticket["title"] == "请打 138****1234"
    assert ticket["description"] == "身份证 110***********002X，水管漏水"
    assert ticket["masked"] == ["description", "title"]
    read = town.resident.get(f"tickets/{ticket['id']}").json()
    assert (read["title"], "masked" in read) == (ticket["title"], False)


def test_a_repeated_filing_says_it_again(town):
    body = {
        "kind": "request", "category": "water.burst_pipe", "area": COMMUNITY + ".e1",
        "description": "打 １３８００１３１２３４", "channel": "page", "visibility": "private",
    }  # fmt: skip
    key = {"Idempotency-Key": "a-number-in-a-filing"}

    first, second = (town.resident.make("tickets", body, headers=key) for _ in range(2))

    assert first["masked"] == second["masked"] == ["description"]


def test_reasons_summaries_and_comments_are_screened_as_well(town):
    ticket = town.file(town.resident)
    ticket = town.clerk.move(ticket, "acceptance")
    path = f"tickets/{ticket['id']}/comments"
    comment = town.clerk.make(path, {"text": "已联系 13800131234", "visibility": "internal"})
    resolved = town.clerk.move(ticket, "resolution", {"summary": "业主 13800131234 已确认"})

    assert (comment["text"], comment["masked"]) == ("已联系 138****1234", ["text"])
    assert resolved["masked"] == ["summary"]
    answer = {"solved": "no", "satisfied": "no", "reason": "打 13800131234 没人接"}
    reopened = town.resident.move(resolved, "follow-up", answer)
    assert reopened["masked"] == ["reason"]
    history = town.clerk.get(f"tickets/{ticket['id']}/history").text
    assert "13800131234" not in history


def test_what_was_masked_does_not_make_the_answers_etag_another(town):
    filed = town.clerk.post("tickets", request(description="打 13800131234"))
    path = f"tickets/{filed.json()['id']}"
    read = {"If-Match": filed.headers["ETag"]}

    amended = town.clerk.patch(path, {"title": "找 13800131234"}, headers=read)
    again = town.clerk.patch(path, {"title": "水管"}, headers={"If-Match": amended.headers["ETag"]})

    assert (filed.json()["masked"], amended.json()["masked"]) == (["description"], ["title"])
    assert again.json()["title"] == "水管"


@pytest.mark.parametrize("text", ["三号楼2单元501室", "拨打12345", "工单 20261101-000123"])
def test_other_numbers_stay_and_nothing_is_said(town, text):
    ticket = town.file(town.resident, description=text)

    assert ticket["description"] == text
    assert "masked" not in ticket
