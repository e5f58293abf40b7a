"""Every fault that an import can find has its sentence in both languages, and every column is
documented.
"""

import re
from pathlib import Path

import pytest

from services.gateway.import_texts import FAULTS, VALUES, message
from services.residents.imports.kinds import KINDS

SOURCES = Path("services/residents/imports")
PAGE = Path("docs/howto/import-files.md").read_text("utf-8")
RAISED = set(
    re.findall(
        r'(?:Unreadable\(|Fault\([\w.]+, [\w.\[\]"]+, |fault = )"([a-z_]+)"',
        "".join(path.read_text("utf-8") for path in SOURCES.glob("*.py")),
    )
)


def test_every_fault_that_reading_raises_is_found_here():
    assert {"formula", "missing_column", "repeated_row", "expired", "internal", "no_rows"} <= RAISED
    assert RAISED - set(FAULTS) == set()


@pytest.mark.parametrize("code", [*sorted(FAULTS), "forbidden", "area_exists", "resident_exists"])
def test_a_fault_is_told_in_both_languages(code):
    chinese, english = message(code, "zh-CN"), message(code, "en")

    assert re.search(r"[一-鿿]", chinese)
    assert english.isascii()


@pytest.mark.parametrize("column", sorted(VALUES))
def test_an_invalid_value_is_told_by_what_its_column_should_hold(column):
    assert column in {each.name for kind in KINDS.values() for each in kind.columns}
    chinese, english = (message("invalid_value", each, column) for each in ("zh-CN", "en"))
    assert re.search(r"[一-鿿]", chinese)
    assert english.isascii()
    assert chinese != message("invalid_value", "zh-CN")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_column_and_its_headings_are_documented(kind):
    section = PAGE.partition(f"## Columns of {kind}\n")[2].partition("\n## ")[0]

    for column in KINDS[kind].columns:
        (row,) = (line for line in section.splitlines() if line.startswith(f"| `{column.name}` |"))
        assert all(heading in row for heading in column.headings), column.name
        assert ("required" in row) == column.required
