"""The ledger as files: what they say, and that no text in them acts."""

import csv
import io
import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Unavailable
from services.gateway import ledger
from services.gateway.api import ledger as api
from services.gateway.schemas.ledger import LedgerEntry

ENTRY = {
    **dict.fromkeys(LedgerEntry().fields),
    "id": "0198c0de-0000-7000-8000-000000000042",
    "number": "20260301-000042",
    "kind": "request",
    "state": "closed",
    "category": "water.quality",
    "category_name": "水质异常",
    "area": "340603008002.e1",
    "area_name": "和顺家园",
    "channel": "fair",
    "visibility": "private",
    "priority": "normal",
    "description": "水有异味，\n三天了",
    "filed_at": "2026-03-01T08:00:00.000000+08:00",
    "follow_up": {"solved": "yes", "satisfied": "no_answer", "contacted": None},
    "send_backs": 0,
    "reopenings": 1,
    # What is told of a ticket and not of the ledger.
    "reporter": "somebody",
}
HARMFUL = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x"]


def book(*entries: dict, locale: str = "zh-CN") -> ledger.Book:
    return ledger.Book("2026-03-01", "2026-03-31", entries, locale)


def rows(*entries: dict, locale: str = "zh-CN") -> list[dict[str, str]]:
    text = b"".join(ledger.written(book(*entries, locale=locale), "csv")).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_csv_file_begins_so_that_excel_shows_chinese():
    first = next(ledger.written(book(), "csv"))

    assert first == b"\xef\xbb\xbf"


def test_a_chinese_ledger_speaks_chinese():
    (row,) = rows(ENTRY)

    assert row["工单编号"] == "20260301-000042"
    assert (row["状态"], row["渠道"], row["是否解决"], row["是否满意"]) == (
        "已归档",
        "邻里节",
        "已解决",
        "未答复",
    )
    assert (row["登记时间"], row["办结时间"], row["重办次数"]) == ("2026-03-01 08:00", "", "1")
    assert row["内容"] == "水有异味，\n三天了"


def test_an_english_ledger_has_the_codes_of_the_api():
    (row,) = rows(ENTRY, locale="en")

    assert (row["State"], row["Channel"], row["Solved"]) == ("closed", "fair", "yes")


def test_nobody_s_id_is_in_it():
    for form in ("csv", "json"):
        assert b"somebody" not in b"".join(ledger.written(book(ENTRY), form))


@pytest.mark.parametrize("text", HARMFUL, ids=ascii)
def test_what_a_spreadsheet_would_take_for_a_formula_begins_with_an_apostrophe(text):
    for column in ("title", "description", "address", "resolution"):
        told = list(rows({**ENTRY, column: text})[0].values())
        assert f"'{text}" in told
        assert text not in told


@given(st.text(max_size=20))
def test_no_cell_begins_as_a_formula_and_nothing_else_changes(text):
    told = ledger.harmless(text)

    assert not told.startswith(tuple("=+-@\t\r\n＝＋－＠"))
    assert told.removeprefix("'") == text.translate(dict.fromkeys((0xFFFE, 0xFFFF))).removeprefix(
        "'"
    )


def test_json_has_the_texts_as_they_are():
    told = json.loads(b"".join(ledger.written(book({**ENTRY, "title": "=1"}, ENTRY), "json")))

    assert (told["from"], told["to"]) == ("2026-03-01", "2026-03-31")
    assert [item["title"] for item in told["items"]] == ["=1", None]
    assert json.loads(b"".join(ledger.written(book(), "json")))["items"] == []


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_ledger_is_written_as_its_entries_come(form):
    """However long it is, no more of it is in memory than a piece that is worth sending."""
    asked = []

    def entries() -> Iterator[dict]:
        for number in range(10_000):
            asked.append(number)
            yield ENTRY

    pieces = ledger.written(ledger.Book("2026-03-01", "2026-03-31", entries(), "en"), form)
    sizes = [len(next(pieces)) for _ in range(4)]

    assert sizes[0] < 100
    assert max(sizes) < 50_000
    assert len(asked) < 1000


def page(number: int, last: int) -> dict:
    return {"items": [ENTRY], "next": str(number + 1) if number < last else None}


def test_entries_come_page_by_page_and_a_short_outage_is_waited_out(monkeypatch):
    monkeypatch.setattr(api, "_AGAIN", (0, 0))
    asked, outages = [], iter([True, True, False])

    def ask(after: str) -> dict:
        asked.append(after)
        if next(outages, False):
            raise Unavailable()
        return page(int(after), last=2)

    assert len(list(api._entries(page(0, last=2), ask))) == 3
    assert asked == ["1", "1", "1", "2"]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_ledger_that_cannot_go_on_does_not_end_as_if_it_were_whole(monkeypatch, form):
    monkeypatch.setattr(api, "_AGAIN", (0, 0))

    def away(_after: str) -> dict:
        raise Unavailable()

    entries = api._entries(page(0, last=2), away)
    with pytest.raises(Unavailable):
        list(ledger.written(ledger.Book("2026-03-01", "2026-03-31", entries, "en"), form))
