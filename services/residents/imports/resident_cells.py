"""What a row of residents says: of a person, and of the household in which they live."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.residents import household_schemas, schemas, sealing
from services.residents.errors import invalid
from services.residents.imports.columns import Column, Row
from services.residents.models import Member
from services.residents.vault import Vault

COLUMNS = (
    Column("name", ("姓名",), required=True),
    Column("phone", ("手机号", "手机号码", "电话", "联系电话")),
    Column("id_number", ("身份证号", "身份证号码", "公民身份号码")),
    Column("area", ("区域代码", "楼栋代码", "单元代码", "网格代码")),
    Column("address", ("地址", "住址"), free=True),
    Column("door", ("门牌号", "房号", "户址")),
    Column("relation", ("与户主关系", "关系")),
    Column("from", ("入住日期", "起始日期")),
)
RELATIONS: Mapping[str, str] = {
    "户主": "head",
    "配偶": "spouse",
    "子女": "child",
    "父母": "parent",
    "孙子女": "grandchild",
    "祖父母": "grandparent",
    "兄弟姐妹": "sibling",
    "其他亲属": "relative",
    "租客": "tenant",
    "其他": "other",
}
_HOME = ("door", "relation", "from")
# Building a schema costs more than using it.
_PERSON = schemas.RegisterResident()
_PLACE = household_schemas.RegisterHousehold(only=("area", "door"))
_STAY = household_schemas.MoveIn(only=("relation", "starts"))

Wanted = Mapping[str, Any]


@dataclass(frozen=True)
class Stay:
    """As what somebody lives in a household (None: the row does not say), and since when."""

    relation: str | None
    starts: date | None

    def meant(self, stays: Iterable[Member]) -> Member | None:
        """Which of a person's stays in the household it is: the present one, or else the one that
        began on the same day.
        """
        same = [each for each in stays if each.ends is None or each.starts == self.starts]
        return min(same, key=lambda each: each.ends is not None, default=None)

    def is_recorded(self, stay: Member) -> bool:
        """Whether nothing else is said than what is recorded: what is over stays as it was."""
        return stay.ends is not None or self.relation in (None, stay.relation)


@dataclass(frozen=True)
class Told:
    """One row: a person, as the command to register them wants it, and the blind index of the door
    where they live, if it says so. Plans know it by its `key`; `at_door`: whoever has no number is
    known by their name behind the door.
    """

    row: Row
    person: Wanted
    door_index: bytes | None
    key: Any
    at_door: bool = False

    @property
    def given(self) -> dict[str, Any]:
        """What the row says of the person. What is left empty stays as it is."""
        return {field: value for field, value in self.person.items() if value is not None}

    def stay(self) -> Stay:
        """As what and since when they live there; raises marshmallow.ValidationError."""
        cells = {name: self.row.cells[name] for name in _HOME[1:] if name in self.row.cells}
        if "relation" in cells:
            cells["relation"] = RELATIONS.get(cells["relation"], cells["relation"])
        loaded = _STAY.load(cells)
        return Stay(loaded["relation"] if "relation" in cells else None, loaded["starts"])


def read(vault: Vault, row: Row, key: Any = None, *, at_door: bool = False) -> Told:
    """What a row says, by its number unless another `key` is given; raises Invalid and
    marshmallow.ValidationError.
    """
    cells = {name: cell for name, cell in row.cells.items() if name not in _HOME}
    return Told(row, _PERSON.load(cells), _door_index(vault, row), key or row.number, at_door)


def _door_index(vault: Vault, row: Row) -> bytes | None:
    if not any(name in row.cells for name in _HOME):
        return None
    for name in ("area", "door"):
        if name not in row.cells:
            raise invalid(name, "required", "Missing data for required field.")
    place = _PLACE.load({name: row.cells[name] for name in ("area", "door")})
    return sealing.door_index(vault, place["area"], place["door"])
