"""Fifty thousand rows fit into little memory: measured in a process of its own, which has nothing
else to do.
"""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROWS = 50_000
BOUND = 96  # Megabytes beyond what the process had before: an XLSX file's texts are all kept.
READ = """
import sys
from pathlib import Path
from services.residents.imports import spreadsheets
from services.residents.imports.area_rows import COLUMNS

def peak():
    (line,) = (line for line in Path("/proc/self/status").open() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024

content = Path(sys.argv[1]).read_bytes()
before = peak()
print(sum(1 for _ in spreadsheets.rows(content, COLUMNS)), peak() - before)
"""
_SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
_STRINGS = '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
_BOOK = (
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://'
    'schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="a" '
    'sheetId="1" r:id="rId1"/></sheets></workbook>'
)
_RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
    'relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
)
_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocu'
    'ment.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/sharedStrings.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>'
)


def rows():
    yield ["code", "name", "names_en"]
    for number in range(ROWS):
        yield [f"{number:012}", f"幸福里第{number}号楼一单元", f"Building {number} of Xingfuli"]


def csv(path):
    path.write_text("\n".join(",".join(row) for row in rows()), encoding="gb18030")


def xlsx(path):
    """As Excel writes it: every text in one table, every cell a reference to it."""
    texts, lines = [], []
    for number, row in enumerate(rows(), start=1):
        cells = []
        for column, text in zip("ABC", row, strict=True):
            cells.append(f'<c r="{column}{number}" t="s"><v>{len(texts)}</v></c>')
            texts.append(f"<si><t>{text}</t></si>")
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("[Content_Types].xml", _TYPES)
        packed.writestr("xl/workbook.xml", _BOOK)
        packed.writestr("xl/_rels/workbook.xml.rels", _RELATIONS)
        packed.writestr("xl/sharedStrings.xml", f"{_STRINGS}{''.join(texts)}</sst>")
        packed.writestr(
            "xl/worksheets/sheet1.xml", f"{_SHEET}{''.join(lines)}</sheetData></worksheet>"
        )


@pytest.mark.parametrize("make", [csv, xlsx])
def test_fifty_thousand_rows_are_read_in_bounded_memory(make, tmp_path):
    make(tmp_path / "file")

    done = subprocess.run(
        [sys.executable, "-c", READ, tmp_path / "file"],
        cwd=Path.cwd(),
        env={"PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=True,
    )

    read, grown = map(int, done.stdout.split())
    assert read == ROWS
    assert grown < BOUND, f"{grown} MB more"
