"""Spreadsheets, read whatever they turn out to be."""

import io
import zipfile
from contextlib import suppress
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.worksheet.formula import ArrayFormula

from services.residents.imports import cells, columns, spreadsheets
from services.residents.imports.columns import Column, Unreadable

COLUMNS = (
    Column("code", ("代码",), required=True),
    Column("name", ("名称",), free=True),
    Column("from", ("起始日期",)),
)


def xlsx(*rows):
    book = Workbook()
    for row in rows:
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def archive(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def repacked(content, name, change):
    """An archive with one member changed."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        members = {each: packed.read(each) for each in packed.namelist()}
    return archive(**(members | {name: change(members[name])}))


def read(content):
    return [dict(row.cells) for row in spreadsheets.rows(content, COLUMNS)]


def faults(content):
    rows = spreadsheets.rows(content, COLUMNS)
    return [(each.row, each.column, each.code) for row in rows for each in row.faults]


def refused(content):
    with pytest.raises(Unreadable) as unreadable:
        spreadsheets.count(spreadsheets.rows(content, COLUMNS))
    fault = unreadable.value.fault
    return fault.code, fault.row, fault.column


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize(
    "heading", ["code,name", "代码,名称", " Code ,名 称*", "代码;名称", "代码\t名称"]
)
def test_csv_is_read_in_what_excel_writes(encoding, heading):
    delimiter = max(",;\t", key=heading.count)
    text = f"{heading}\r\n1{delimiter}幸福里\r\n\r\n2{delimiter}\r\n"

    assert read(text.encode(encoding)) == [{"code": "1", "name": "幸福里"}, {"code": "2"}]


def test_a_cell_may_hold_a_delimiter_and_a_line_break():
    assert read(b'code,name\n1,"a,b\nc"\n') == [{"code": "1", "name": "a,b\nc"}]


def test_rows_are_numbered_as_a_spreadsheet_numbers_them():
    rows = list(spreadsheets.rows(b"code\n\n1\n\n2\n", COLUMNS))

    assert [row.number for row in rows] == [3, 5]


def test_an_xlsx_file_is_read_by_its_first_sheet():
    content = xlsx(
        ["代码", "名称", "起始日期"],
        [13800000001, "幸福里", date(2026, 11, 1)],
        [None, None, None],
        ["x", 2.5, datetime(2026, 11, 1, 8, 30)],  # noqa: DTZ001 - a cell has no zone
    )

    assert read(content) == [
        {"code": "13800000001", "name": "幸福里", "from": "2026-11-01"},
        {"code": "x", "name": "2.5", "from": "2026-11-01T08:30:00"},
    ]


def test_a_formula_is_its_text_in_a_name_and_refused_elsewhere():
    content = xlsx(["code", "name"], ["=1+1", "=A1"], ["7", ArrayFormula("B3", "=A1:A2")])

    assert faults(content) == [(2, "code", "formula")]
    assert read(content)[1] == {"code": "7", "name": "=A1:A2"}
    assert faults(b'code,name\n"=HYPERLINK(""x"")",=A1\n') == [(2, "code", "formula")]


@pytest.mark.parametrize("number", [340603198001011234, 3.40603198001011e17])
def test_a_long_number_that_excel_has_rounded_is_said_to_be(number):
    assert faults(xlsx(["code"], [number])) == [(2, "code", "digits_lost")]
    assert faults(f"code\n{number:.5E}\n".encode()) == [(2, "code", "digits_lost")]


def test_what_is_too_long_or_beside_the_columns_is_a_fault_of_its_cell():
    assert faults(f"code,name\n1,{'x' * 1001}\n2,b,stray\n".encode()) == [
        (2, "name", "too_long"),
        (3, "C", "unknown_column"),
    ]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", ("no_rows", 0, "")),
        (b"code,name\n", ("no_rows", 0, "")),
        (b"name\nx\n", ("missing_column", 1, "code")),
        ("code,代码\n1,2\n".encode(), ("duplicate_column", 1, "code")),
        (b"code,13800000001\n1,2\n", ("unknown_column", 1, "B")),
        (b"code" + b",x" * 60 + b"\n", ("too_many_columns", 1, "")),
        (b'code\n"never closed\n1\n', ("broken_csv", 0, "")),
        (b"code\n" + b"," * 300_000 + b"\n", ("broken_csv", 0, "")),
        (b"code\n" + b'"\n",' * 200_000, ("broken_csv", 0, "")),
        (b"code\n\xff\xff\n", ("unknown_encoding", 0, "")),
        (b"\xd0\xcf\x11\xe0\0\0", ("not_a_spreadsheet", 0, "")),
        (b"PK\x03\x04 and no more", ("not_a_spreadsheet", 0, "")),
        (archive(**{"word/document.xml": "<a/>"}), ("not_a_spreadsheet", 0, "")),
        (archive(**{"xl/workbook.xml": "<a>"}), ("not_a_spreadsheet", 0, "")),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_a_file_that_cannot_be_imported_says_why(content, fault):
    assert refused(content) == fault


def test_more_rows_than_allowed_are_refused_before_any_is_taken():
    assert refused(b"code\n" + b"1\n" * 50_001)[0] == "too_many_rows"
    assert refused(b"code\n" + b"\n" * 200_001)[0] == "too_many_rows"


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked():
    bomb = repacked(xlsx(["code"], ["1"]), "xl/worksheets/sheet1.xml", lambda _: b" " * (100 << 20))

    assert len(bomb) < 1 << 20
    assert refused(bomb)[0] == "too_large_unpacked"


def test_entities_that_multiply_do_not():
    """The billion laughs: expat ends them, openpyxl's own parser would not."""
    entities = "".join(
        f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">' if level else '<!ENTITY a0 "haha">'
        for level in range(12)
    )
    laughing = repacked(
        xlsx(["code"], ["1"]),
        "xl/worksheets/sheet1.xml",
        lambda sheet: (
            f"<!DOCTYPE x [{entities}]>".encode()
            + sheet[sheet.index(b"<worksheet") :].replace(b"code</t>", b"&a11;</t>")
        ),
    )

    assert refused(laughing)[0] == "not_a_spreadsheet"


def test_a_cell_far_to_the_right_costs_nothing():
    wide = repacked(
        xlsx(["code"], ["1"]),
        "xl/worksheets/sheet1.xml",
        lambda sheet: sheet.replace(b'r="A2"', b'r="XFD2"'),
    )

    assert spreadsheets.rows(wide, COLUMNS)
    assert refused(wide)[0] == "no_rows"


@given(st.binary(max_size=400))
def test_no_bytes_are_more_than_unreadable(content):
    for file in (content, b"PK\x03\x04" + content, b"code\n" + content):
        with suppress(Unreadable):
            list(spreadsheets.rows(file, COLUMNS))


@given(st.data())
def test_a_damaged_archive_is_no_more_than_unreadable(data):
    whole = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 5))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(Unreadable):
        list(spreadsheets.rows(bytes(whole), COLUMNS))


WHOLE = xlsx(["code", "name"], ["1", "幸福里"])


@given(st.text())
def test_a_cell_s_text_is_read_once_and_for_all(value):
    assert cells.text(str(cells.text(value))) == cells.text(value)


def test_columns_are_lettered_like_a_spreadsheet_s():
    assert [columns.letters(place) for place in (0, 25, 26, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "ZZ",
        "AAA",
    ]
