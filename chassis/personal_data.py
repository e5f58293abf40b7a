"""Tags for columns that hold something of a person: why, on which ground, and for how long.

They stand on the schema (`column.info["personal"]`) and are printed into docs/personal-data.md;
what they say of time is what a service's schedule goes by.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import MetaData


@dataclass(frozen=True)
class Tag:
    """`kept` is how long, from when `since` says; without it `since` says until when. `sealed`: it
    is stored encrypted.
    """

    purpose: str
    basis: str
    since: str
    kept: timedelta | None = None
    sealed: bool = False

    @property
    def retention(self) -> str:
        """For how long, in words."""
        return f"{self.kept.days} days {self.since}" if self.kept else self.since


def attach(metadata: MetaData, tags: Mapping[str, Tag]) -> None:
    """Put each tag on its column, `table.column`; raises KeyError for one that is not there."""
    for name, tag in tags.items():
        table, _, column = name.partition(".")
        metadata.tables[table].columns[column].info["personal"] = tag
