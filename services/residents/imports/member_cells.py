"""The people whom a row of households names: its head in columns of their own, the others in one
cell, as registers of households have them.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from marshmallow import ValidationError

from chassis.errors import Invalid, ServiceError, from_validation
from services.residents.errors import invalid
from services.residents.imports.columns import Column, Row
from services.residents.imports.resident_cells import RELATIONS
from services.residents.models import HEAD
from services.residents.reach import Denied, Hidden

COLUMNS = (
    Column("head", ("户主", "户主姓名")),
    Column("head_phone", ("户主电话", "户主手机号", "户主手机", "联系电话")),
    Column("head_id_number", ("户主身份证号", "户主身份证号码")),
    Column("members", ("家庭成员", "成员", "同住人")),
)
NUMBERS = ("head_phone", "head_id_number")

_HEAD = {"head": "name", "head_phone": "phone", "head_id_number": "id_number"}
_SHARED = ("area", "door", "from")
_BETWEEN_PEOPLE = re.compile(r"[;；,，、\n]")
_BETWEEN_WORDS = re.compile(r"[\s()（）:：/]+")
_NUMBER = re.compile(r"\+?[0-9-]+[Xx]?")
_ID_NUMBER = 18
_IS_RELATION = frozenset({*RELATIONS, *RELATIONS.values()})


@dataclass(frozen=True)
class Named:
    """Somebody whom a row names, as a row of residents; `column` is where they are named, and
    `columns` where what is said of them stands, by the column of residents.
    """

    row: Row
    column: str
    columns: Mapping[str, str]

    @contextmanager
    def told(self) -> Iterator[None]:
        """Let what is wrong with them point at the columns that the row has. What is refused for
        want of a right stays as it is, for the audit.
        """
        try:
            yield
        except (Hidden, Denied):
            raise
        except (ServiceError, ValidationError) as error:
            wrong = error if isinstance(error, ServiceError) else from_validation(error)
            whole = {"pointer": "", "code": wrong.code, "message": wrong.detail}
            raise Invalid(errors=[self._here(each) for each in wrong.errors or [whole]]) from None

    def _here(self, error: Mapping[str, str]) -> dict[str, str]:
        column = self.columns.get(error["pointer"].strip("/"), self.column)
        return {**error, "pointer": f"/{column}"}


def named(row: Row) -> list[Named]:
    """The head, and then the others; raises Invalid for a cell that cannot be read."""
    shared = {name: row.cells[name] for name in _SHARED if name in row.cells}
    head = {told: row.cells[name] for name, told in _HEAD.items() if name in row.cells}
    found = []
    if head:
        cells = {**shared, **head, "relation": HEAD}
        columns = {told: name for name, told in _HEAD.items()}
        found.append(Named(Row(row.number, cells), "head", columns))
    for told in _members(row.cells.get("members", "")):
        found.append(Named(Row(row.number, {**shared, **told}), "members", {}))
    return found


def _members(cell: str) -> Iterator[dict[str, str]]:
    """`李梅 配偶 13800000000；王小红（子女）`: a name, and in any order what somebody is to the
    head, a phone and an ID number.
    """
    for part in _BETWEEN_PEOPLE.split(cell):
        told: dict[str, str] = {}
        for word in filter(None, _BETWEEN_WORDS.split(part)):
            column = _column(word)
            if column in told and column != "name":
                raise invalid("members", "invalid_value", "Somebody has two of the same.")
            told[column] = f"{told[column]} {word}" if column in told else word
        if told:
            yield told


def _column(word: str) -> str:
    spelt = unicodedata.normalize("NFKC", word)
    if spelt in _IS_RELATION:
        return "relation"
    if _NUMBER.fullmatch(spelt):
        return "id_number" if len(spelt) == _ID_NUMBER else "phone"
    return "name"
