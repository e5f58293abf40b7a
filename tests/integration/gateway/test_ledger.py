"""The ledger over HTTP, as JSON, CSV and XLSX."""

import csv
import io

import pytest
from openpyxl import load_workbook

from chassis.testing import eventually
from tests.integration.gateway.test_neighbours_away import away, unavailable
from tests.integration.gateway.town import COMMUNITY

ESTATE = f"{COMMUNITY}.e2"
MANY = 120  # more than a page
FORMULA = '=HYPERLINK("http://x", "click")'


@pytest.fixture(scope="module")
def filed(town):
    """Numbers of requests of an estate where nobody else files, in their order."""
    tickets = [town.file(town.resident, area=ESTATE, title=FORMULA) for _ in range(MANY)]
    return [ticket["number"] for ticket in tickets]


def fetched(client, form, area=ESTATE, **headers):
    answer = client.get("ledger", params={"format": form, "area": area}, headers=headers)
    assert answer.ok, answer.text
    return answer


def test_json_has_all_of_it(town, filed):
    answer = fetched(town.clerk, "json")

    assert [item["number"] for item in answer.json()["items"]] == filed
    assert answer.json()["items"][0]["title"] == FORMULA


def test_csv_has_all_of_it_and_no_formula(town, filed):
    answer = fetched(town.clerk, "csv", **{"Accept-Language": "zh-CN"})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="ledger-')
    assert [row["工单编号"] for row in rows] == filed
    assert {row["标题"] for row in rows} == {f"'{FORMULA}"}
    assert {row["状态"] for row in rows} == {"已登记"}


def test_xlsx_has_all_of_it_and_no_formula(town, filed):
    book = load_workbook(io.BytesIO(fetched(town.secretary, "xlsx").content), read_only=True)
    header, *rows = book["Ledger"].iter_rows()

    title = [cell.value for cell in header].index("Title")
    assert [row[0].value for row in rows] == filed
    assert {(row[title].value, row[title].data_type) for row in rows} == {(f"'{FORMULA}", "s")}


def test_xlsx_keeps_its_headings_in_sight_and_its_columns_wide_enough(town, filed):
    sheet = load_workbook(io.BytesIO(fetched(town.secretary, "xlsx").content))["Ledger"]
    headings = {cell.value: cell.column_letter for cell in sheet[1]}
    assert sheet.freeze_panes == "B2"
    assert sheet.column_dimensions[headings["Number"]].width >= len(filed[0])
    assert sheet.column_dimensions[headings["Filed"]].width >= len("2026-11-01 08:00")


def test_who_keeps_no_ledger_gets_none(town, filed):
    for who in (town.resident, town.grid_worker, town.water_clerk, town.administrator):
        assert who.get("ledger").status_code == 403
    assert town.nobody.get("ledger").status_code == 401
    assert town.clerk.get("ledger?area=340603008099").status_code == 422


@pytest.mark.parametrize("query", ["format=doc", "from=x", "from=2020-01-01", "q=x", "state=lost"])
def test_a_bad_query_is_422(town, query):
    assert town.clerk.get(f"ledger?{query}").status_code == 422


def test_the_ledger_while_tickets_is_away_is_503(town, filed):
    with away(town, "tickets"):
        assert unavailable(town.clerk.get("ledger?format=xlsx"))
    eventually(lambda: town.clerk.get("ledger").ok, within=20)
