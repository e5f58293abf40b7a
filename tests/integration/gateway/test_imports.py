"""Files of areas over HTTP."""

import io

import pytest
from openpyxl import Workbook

from chassis.testing import eventually
from services.gateway.api.imports import LARGEST
from services.gateway.import_texts import FAULTS
from tests.integration.gateway.town import BUILDING

CSV = "区域代码,名称\n{0}000000,区\n{0}008000,街道\n{0}008002,社区\n"
CHINESE = {"Accept-Language": "zh-CN"}


def upload(client, content, path="areas/imports", name="file", **options):
    content = content.encode() if isinstance(content, str) else content
    return client.request("POST", path, files={name: ("列表.csv", content)}, **options)


def finished(client, answer):
    """The import when it has come to its end."""
    assert answer.status_code == 202, answer.text
    path = answer.headers["Location"].removeprefix("/api/v1/")
    return eventually(
        lambda: (found := client.get(path).json())["finished_at"] and found, within=90
    )


def test_an_administrator_imports_areas_and_sees_how_far_it_is(town):
    content = CSV.format("420101").encode("gb18030")

    answer = upload(town.administrator, content)
    found = finished(town.administrator, answer)
    again = finished(town.administrator, upload(town.administrator, content))

    assert answer.headers["Location"] == f"/api/v1/areas/imports/{found['id']}"
    assert (found["state"], found["rows"], found["done"], found["added"]) == ("done", 3, 3, 3)
    assert (again["added"], again["unchanged"]) == (0, 3)
    assert town.nobody.get("areas/420101008002").json()["name"] == "社区"
    listed = town.administrator.get("areas/imports").json()["items"]
    assert [each["id"] for each in listed[:2]] == [again["id"], found["id"]]


def test_an_xlsx_file_may_be_tried_first(town):
    book = Workbook()
    for row in (["code", "name"], ["420102000000", "区"], [None, "nowhere"]):
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)

    tried = upload(town.administrator, buffer.getvalue(), "areas/imports?dry_run=true")
    found = finished(town.administrator, tried)

    assert (found["dry_run"], found["added"], found["failed"]) == (True, 1, 1)
    assert town.nobody.get("areas/420102000000").status_code == 404


def test_errors_are_told_by_row_and_column_in_the_reader_s_language(town):
    found = finished(town.administrator, upload(town.administrator, "code,name\n12,x\n"))
    path = f"areas/imports/{found['id']}/errors"

    english = town.administrator.get(path).json()["items"]
    chinese = town.administrator.get(path, headers=CHINESE).json()["items"]

    assert english == found["errors"]
    assert (english[0]["row"], english[0]["column"]) == (2, "code")
    assert english[0]["message"] == FAULTS["invalid_value"][1]
    assert chinese[0]["message"] == FAULTS["invalid_value"][0]


def test_the_same_key_makes_one_import_and_another_file_under_it_is_refused(town):
    key = {"Idempotency-Key": "imports-once"}
    content = "code,name\n420103000000,区\n"

    first, second = (upload(town.administrator, content, headers=key) for _ in range(2))
    other = upload(town.administrator, content + "x,y\n", headers=key)
    dry = upload(town.administrator, content, "areas/imports?dry_run=true", headers=key)

    assert first.json()["id"] == second.json()["id"]
    for refused in (other, dry):
        assert (refused.status_code, refused.json()["type"]) == (
            422,
            "/problems/idempotency_key_reused",
        )


@pytest.mark.parametrize("who", ["resident", "clerk", "grid_worker", "water_clerk"])
def test_only_administrators_import_areas(town, who):
    assert upload(town.people[who], "code,name\n").status_code == 403
    assert town.people[who].get("areas/imports").status_code == 403


def test_somebody_without_a_session_is_asked_to_sign_in(town):
    assert upload(town.nobody, "code,name\n").status_code == 401


def test_what_is_no_form_with_one_file_is_refused(town):
    admin = town.administrator
    json = admin.post("areas/imports", {"file": "x"})
    other = upload(admin, "x", name="table")
    empty = upload(admin, "")
    picture = upload(admin, b"\x89PNG\0\0")

    assert (json.status_code, json.json()["type"]) == (415, "/problems/not_a_form")
    assert {fault["pointer"] for fault in other.json()["errors"]} == {"/file", "/table"}
    assert [fault["code"] for fault in empty.json()["errors"]] == ["empty_file"]
    assert [fault["code"] for fault in picture.json()["errors"]] == ["not_a_spreadsheet"]
    assert {answer.status_code for answer in (other, empty, picture)} == {422}
    broken = admin.request(
        "POST", "areas/imports", data=b"x", headers={"Content-Type": "multipart/form-data"}
    )
    assert broken.status_code == 415


def test_a_file_over_the_limit_is_413(town):
    assert upload(town.administrator, b"x" * (LARGEST + 1)).status_code == 413
    assert upload(town.administrator, b"x" * (LARGEST + (1 << 20))).status_code == 413


def test_a_large_file_goes_over_in_parts(town):
    rows = "".join(f"bad{number},{'很长的名称' * 190}\n" for number in range(800))

    found = finished(town.administrator, upload(town.administrator, f"code,name\n{rows}"))

    assert len(rows.encode()) > 2 << 20
    assert (found["rows"], found["failed"]) == (800, 800)


def test_when_it_happened_is_said_by_keys_with_the_scope_import_only(town):
    owner = {"person": town.ids["administrator"]}
    path = "areas/imports?occurred_at=2026-01-05T08:00:00%2B08:00"
    content = "code,name\n420104000000,区\n"

    plain = upload(town.key(owner, "areas:write"), content, path)
    importing = town.key(owner, "areas:write", "import")

    assert plain.status_code == 403
    assert finished(importing, upload(importing, content, path))["added"] == 1


def test_a_clerk_imports_residents_and_households_of_their_community(town):
    residents = f"name,phone,area\n周一,13500000001,{BUILDING}\n周二,13500000002,420101000000\n"
    households = f"area,door,tenure\n{BUILDING},导入一室,自有\n"

    people = finished(town.clerk, upload(town.clerk, residents, "residents/imports"))
    doors = finished(town.clerk, upload(town.clerk, households, "households/imports"))

    assert (people["added"], people["failed"]) == (1, 1)
    assert (doors["added"], doors["failed"]) == (1, 0)
    found = town.clerk.make("residents/searches", {"phone": "13500000001"})["items"]
    assert [each["name"] for each in found] == ["周**"]
    path = f"residents/imports/{people['id']}"
    assert town.administrator.get(path).status_code == 200
    assert town.secretary.get(path).status_code == 404
    assert town.secretary.get(f"{path}/errors").status_code == 404
    assert town.clerk.get(f"households/imports/{people['id']}").status_code == 404


@pytest.mark.parametrize("path", ["residents/imports", "households/imports"])
def test_residents_import_nobody(town, path):
    assert upload(town.resident, "name\nx\n", path).status_code == 403


def test_another_s_import_is_not_there(town):
    found = finished(town.administrator, upload(town.administrator, "code,name\nx,y\n"))

    assert town.administrator.get(f"areas/imports/{town.ids['clerk']}").status_code == 404
    assert town.clerk.get(f"areas/imports/{found['id']}").status_code == 403


@pytest.mark.parametrize(
    ("kind", "who"),
    [("residents", "resident"), ("residents", "water_clerk"), ("households", "water_clerk")],
)
def test_a_refused_import_of_personal_data_is_in_the_audit(town, kind, who):
    refused = upload(town.people[who], "姓名\n甲\n", f"{kind}/imports")

    assert refused.status_code == 403
    entries = town.administrator.get("audit", params={"actor": town.ids[who]}).json()["items"]
    assert (entries[0]["action"], entries[0]["outcome"]) == (f"{kind}.write", "refused")
