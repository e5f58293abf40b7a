"""The ledger (台账) as a file: JSON, CSV or XLSX, written page by page, so that its length costs no
memory.

A spreadsheet takes a text that begins with certain signs for a formula, which may send what stands
beside it elsewhere: such texts get an apostrophe in front (OWASP, CSV Injection).
"""

import csv
import io
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from eventlet import tpool
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from services.gateway.schemas.ledger import LedgerEntry
from services.gateway.texts import CHANNELS, WORDS

Entry = Mapping[str, Any]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MEDIA_TYPES: Mapping[str, str] = {"json": "application/json", "csv": "text/csv", "xlsx": XLSX}
_ENTRY = LedgerEntry()
_CHUNK = 32 * 1024
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
# By which Excel knows that a CSV file is UTF-8.
_BOM = "\ufeff"
# Every ZIP archive, and so every XLSX file, begins with these.
_ZIP = b"PK"
# XML cannot say them.
_UNSAYABLE = str.maketrans("", "", "\ufffe\uffff")

# Each column: what of an entry, and what it is called.
_COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("number", "工单编号", "Number"),
    ("state", "状态", "State"),
    ("category_name", "类别", "Category"),
    ("area_name", "区域", "Area"),
    ("address", "地址", "Address"),
    ("channel", "渠道", "Channel"),
    ("visibility", "是否公开", "Visibility"),
    ("priority", "紧急程度", "Priority"),
    ("title", "标题", "Title"),
    ("description", "内容", "Description"),
    ("department_name", "承办部门", "Department"),
    ("resolution", "办理结果", "Resolution"),
    ("filed_at", "登记时间", "Filed"),
    ("accepted_at", "受理时间", "Accepted"),
    ("assigned_at", "派单时间", "Assigned"),
    ("resolved_at", "办结时间", "Resolved"),
    ("closed_at", "归档时间", "Closed"),
    ("solved", "是否解决", "Solved"),
    ("satisfied", "是否满意", "Satisfied"),
    ("call_attempts", "未接通次数", "Calls in vain"),
    ("send_backs", "退回次数", "Sent back"),
    ("reopenings", "重办次数", "Reopened"),
)
# Of columns, in characters.
_USUAL = 12
_WIDTHS = {
    "number": 17,
    "category_name": 16,
    "area_name": 16,
    "address": 24,
    "title": 24,
    "description": 48,
    "department_name": 16,
    "resolution": 36,
    **dict.fromkeys(("filed_at", "accepted_at", "assigned_at", "resolved_at", "closed_at"), 17),
}
# Codes in the words of a Chinese ledger, beside states.
_CODES: Mapping[str, Mapping[str, str]] = {
    "state": WORDS,
    "channel": CHANNELS,
    "visibility": {"public": "公开", "private": "不公开"},
    "priority": {"normal": "一般", "urgent": "紧急"},
    "solved": {"yes": "已解决", "partly": "部分解决", "no": "未解决", "no_answer": "未答复"},
    "satisfied": {"yes": "满意", "no": "不满意", "no_answer": "未答复"},
}


@dataclass(frozen=True)
class Book:
    """A ledger to be written: its days, its entries as they come, and for whom."""

    first: str
    last: str
    entries: Iterable[Entry]
    locale: str


def written(book: Book, form: str) -> Iterator[bytes]:
    """The ledger as `json`, `csv` or `xlsx`, in pieces: the first one at once, so that from there
    on a failure cuts the answer off, which its reader notices; then such as are worth sending.
    """
    pieces = {"json": _json, "csv": _csv, "xlsx": _xlsx}[form](book)
    yield next(pieces)
    gathered = bytearray()
    for piece in pieces:
        gathered += piece
        if len(gathered) >= _CHUNK:
            yield bytes(gathered)
            gathered.clear()
    yield bytes(gathered)


def _json(book: Book) -> Iterator[bytes]:
    yield f'{{"from":"{book.first}","to":"{book.last}","items":['.encode()
    comma = ""
    for entry in book.entries:
        text = json.dumps(_ENTRY.dump(entry), ensure_ascii=False, separators=(",", ":"))
        yield f"{comma}{text}".encode()
        comma = ","
    yield b"]}"


def _csv(book: Book) -> Iterator[bytes]:
    line = io.StringIO()
    writer = csv.writer(line)
    yield _BOM.encode()
    for row in _rows(book):
        writer.writerow(row)
        yield line.getvalue().encode()
        line.seek(0)
        line.truncate()


def _xlsx(book: Book) -> Iterator[bytes]:
    yield _ZIP
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("台账" if _is_chinese(book) else "Ledger")
    _laid_out(sheet)
    try:
        for row in _rows(book):
            sheet.append(row)
        with tempfile.TemporaryFile() as file:
            # Packing a large one takes seconds: elsewhere, for others are waiting.
            tpool.execute(workbook.save, file)
            file.seek(len(_ZIP))
            while piece := file.read(_CHUNK):
                yield piece
    finally:
        # What openpyxl wrote meanwhile lies in a file of its own, which `save` takes away: unless
        # the reader has left before.
        with suppress(FileNotFoundError):
            sheet._writer.cleanup()


def _laid_out(sheet: Any) -> None:
    """Columns that can be read, below headings that stay; it must be said before the first row."""
    sheet.freeze_panes = "B2"
    for position, (name, _, _) in enumerate(_COLUMNS, start=1):
        sheet.column_dimensions[get_column_letter(position)].width = _WIDTHS.get(name, _USUAL)


def _rows(book: Book) -> Iterator[list[Any]]:
    yield [zh if _is_chinese(book) else en for _, zh, en in _COLUMNS]
    for entry in book.entries:
        flat = {**entry, **(entry["follow_up"] or {})}
        yield [_cell(name, flat.get(name), book) for name, _, _ in _COLUMNS]


def _cell(name: str, value: Any, book: Book) -> Any:
    if not isinstance(value, str):
        return value
    if name.endswith("_at"):
        # Of RFC 3339 the part that people read; the zone is everybody's.
        return value[:16].replace("T", " ")
    if name in _CODES and _is_chinese(book):
        return _CODES[name].get(value, value)
    return harmless(value)


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    said = text.translate(_UNSAYABLE)
    return f"'{said}" if said.startswith(_FORMULA) else said


def _is_chinese(book: Book) -> bool:
    return book.locale == "zh-CN"
