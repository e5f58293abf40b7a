"""Reading CSV and XLSX files row by row, in bounded memory, whatever they turn out to be.

CSV is UTF-8, with or without a byte order mark, or GB18030, which Excel writes in China; its cells
are parted by commas, semicolons or tabs. Of an XLSX file the first sheet is read. Whatever else
somebody sends raises Unreadable.
"""

import codecs
import csv
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence

from services.residents.imports import cells
from services.residents.imports.columns import MOST, Column, Header, Row, Unreadable

MOST_ROWS = 50_000
# Blank rows are skipped, but not without end.
_LAST_ROW = 4 * MOST_ROWS
# Bytes that an XLSX file may unpack to: 50,000 rows of ten columns come to some 30 MB. The sizes in
# the archive's directory may lie, but zipfile unpacks no more of a member than it says there.
_UNPACKED = 96 << 20
_ZIP = b"PK\x03\x04"
_CHUNK = 1 << 16
# Characters of a row of CSV.
_LONGEST_ROW = 1 << 18
# What zipfile, expat and openpyxl raise over files that are none, or are made to break them.
_BROKEN = (
    zipfile.BadZipFile, zlib.error,
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, NotImplementedError,
    OSError, RecursionError, RuntimeError, SyntaxError, TypeError, ValueError,
)  # fmt: skip
_SHEET = "xl/workbook.xml"


def looks_like_one(head: bytes) -> bool:
    """Whether a file may be a spreadsheet, from its first bytes: an XLSX archive, or text."""
    return head.startswith(_ZIP) or b"\0" not in head


def rows(content: bytes, columns: Sequence[Column]) -> Iterator[Row]:
    """The rows of data under the header, blank ones skipped. Raises Unreadable, at once for what
    the header shows and otherwise where the fault is met.
    """
    found = _numbered(content)
    first = next(found, None)
    if first is None:
        raise Unreadable("no_rows")
    header = Header(*first, columns)
    return _below(header, found)


def count(found: Iterable[Row]) -> int:
    """How many rows there are; raises Unreadable for none, and for whatever reading them meets."""
    counted = sum(1 for _ in found)
    if not counted:
        raise Unreadable("no_rows")
    return counted


def _below(header: Header, found: Iterator[tuple[int, list[str]]]) -> Iterator[Row]:
    for counted, (number, values) in enumerate(found):
        if counted >= MOST_ROWS:
            raise Unreadable("too_many_rows", number)
        yield header.row(number, values)


def _numbered(content: bytes) -> Iterator[tuple[int, list[str]]]:
    read = _xlsx if content.startswith(_ZIP) else _csv
    for number, values in enumerate(read(content), start=1):
        if number > _LAST_ROW:
            raise Unreadable("too_many_rows", number)
        # Columns that are only formatted, and what a row of commas ends with.
        while values and values[-1] == "" and not isinstance(values[-1], cells.Doubtful):
            values.pop()
        if values:
            yield number, values


def _csv(content: bytes) -> Iterator[list[str]]:
    with io.TextIOWrapper(io.BytesIO(content), _encoding(content), newline="") as stream:
        first = stream.readline(_CHUNK)
        delimiter = max(",;\t", key=first.count)
        stream.seek(0)
        lines = _Lines(stream)
        try:
            for values in csv.reader(lines, delimiter=delimiter, strict=True):
                lines.record = 0
                yield [cells.text(value) for value in values]
        except csv.Error:
            raise Unreadable("broken_csv") from None


class _Lines:
    """The lines of a text, as long as they are ones: a quotation mark that is never closed, or a
    million commas, would make one row of all of it.
    """

    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._stream = stream
        self.record = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._stream.readline(_LONGEST_ROW + 1)
        self.record += len(line)
        if self.record > _LONGEST_ROW:
            raise Unreadable("broken_csv")
        if not line:
            raise StopIteration
        return line


def _encoding(content: bytes) -> str:
    if b"\0" in content:
        raise Unreadable("not_a_spreadsheet")
    for encoding in ("utf-8-sig", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            for start in range(0, len(content), _CHUNK):
                decoder.decode(content[start : start + _CHUNK])
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding
    raise Unreadable("unknown_encoding")


def _xlsx(content: bytes) -> Iterator[list[str]]:
    # Heavy, and the service itself has no need of it: only its importer reads files.
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException, ReadOnlyWorkbookException

    try:
        _check_archive(content)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        for values in book.worksheets[0].iter_rows(max_col=MOST + 1, values_only=True):
            yield [cells.text(value) for value in values]
    except (*_BROKEN, InvalidFileException, ReadOnlyWorkbookException):
        raise Unreadable("not_a_spreadsheet") from None


def _check_archive(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        if _SHEET not in archive.namelist():
            raise Unreadable("not_a_spreadsheet")
        if sum(member.file_size for member in members) > _UNPACKED:
            raise Unreadable("too_large_unpacked")
