"""The official areas of the country, as a table to look names and codes up in."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Index, Row, Text, literal, select, true, union_all
from sqlalchemy.orm import Mapped, Session, mapped_column

from services.residents import official_names
from services.residents.models import Base

# One B-tree serves prefixes and order alike; see models.TreeKey.
_C = Text(collation="C")


class OfficialArea(Base):
    """A province, city, district, sub-district or community of the official table."""

    __tablename__ = "official_areas"

    code: Mapped[str] = mapped_column(_C, primary_key=True)
    level: Mapped[str]
    parent: Mapped[str | None]
    name: Mapped[str] = mapped_column(_C)
    alias: Mapped[str] = mapped_column(_C)

    __table_args__ = (Index(None, "alias", "code"), Index(None, "name", "code"))


def search(session: Session, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The first `limit` areas whose code begins with `q`, or that are called so, or whose name
    begins with it; `under` an area, if said. Those called so come first.
    """
    columns = OfficialArea.__table__.c
    under, limit = _under(wanted.get("under")), wanted["limit"]
    text = official_names.spelt(wanted["q"])
    if text.isascii() and text.isdigit():
        statement = (
            select(*columns)
            .where(columns.code.startswith(text), under)
            .order_by(columns.code)
            .limit(limit)
        )
    else:
        statement = _by_name(text, under, limit)
    found = session.execute(statement).all()
    names = _names(session, found)
    return {"items": [_answer(row, names) for row in found], "next": None}


def get(session: Session, code: str) -> OfficialArea | None:
    """The official area with this code, if there is one and the table has been loaded."""
    return session.get(OfficialArea, code)


def _by_name(text: str, under: ColumnElement[bool], limit: int) -> Any:
    """Two ranges of two indexes, each as long as the answer at most."""
    columns, called = OfficialArea.__table__.c, official_names.alias(text)
    so = (
        select(*columns, literal(0).label("rank"), literal("").label("place"))
        .where(columns.alias == called, under)
        .order_by(columns.code)
        .limit(limit)
    )
    begins = (
        select(*columns, literal(1).label("rank"), columns.name.label("place"))
        .where(columns.name.startswith(text, autoescape=True), columns.alias != called, under)
        .order_by(columns.name, columns.code)
        .limit(limit)
    )
    both = union_all(so.subquery().select(), begins.subquery().select()).subquery()
    return select(both).order_by(both.c.rank, both.c.place, both.c.code).limit(limit)


def _under(code: str | None) -> ColumnElement[bool]:
    if code is None:
        return true()
    return OfficialArea.__table__.c.code.startswith(official_names.prefix(code))


def _names(session: Session, found: Iterable[Row[Any]]) -> dict[str, str]:
    above = {code for row in found for code in official_names.ancestors(row.code)}
    statement = select(OfficialArea.code, OfficialArea.name).where(OfficialArea.code.in_(above))
    return {row.code: row.name for row in session.execute(statement)}


def _answer(row: Row[Any], names: Mapping[str, str]) -> dict[str, Any]:
    above = (names.get(code) for code in official_names.ancestors(row.code))
    return {
        "code": row.code,
        "level": row.level,
        "parent": row.parent,
        "name": row.name,
        "short_name": official_names.short(row.name),
        "above": [name for name in above if name],
    }
