"""The feed: every event of the log stream, indexed by whom it concerns, a partition a day."""

import datetime

from sqlalchemy import BigInteger, CheckConstraint, Date, Index, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.gateway.models import Base


class FeedEvent(Base):
    """One message of the stream at its offset; what is no event has no body and concerns nobody.

    `epoch` tells one incarnation of the stream from the next, whose offsets begin at 0 again. `day`
    is when it was indexed (UTC), and what it is forgotten by.
    """

    __tablename__ = "feed"

    epoch: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    log_offset: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    day: Mapped[datetime.date] = mapped_column(Date, primary_key=True)
    digest: Mapped[str] = mapped_column(Text)
    body: Mapped[str | None] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    area: Mapped[str] = mapped_column(Text)
    departments: Mapped[list[str]] = mapped_column(ARRAY(Text))
    owners: Mapped[list[str]] = mapped_column(ARRAY(Text))
    holders: Mapped[list[str]] = mapped_column(ARRAY(Text))
    public: Mapped[bool]

    __table_args__ = (
        Index("ix_feed_area", "area", postgresql_ops={"area": "text_pattern_ops"}),
        Index("ix_feed_departments", "departments", postgresql_using="gin"),
        Index("ix_feed_owners", "owners", postgresql_using="gin"),
        Index("ix_feed_subject", "subject"),
        {"postgresql_partition_by": "RANGE (day)"},
    )


class FeedState(Base):
    """The one row that says how far the stream is indexed; `log_offset` is null before the first
    message of an epoch.
    """

    __tablename__ = "feed_state"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    epoch: Mapped[int] = mapped_column(BigInteger)
    log_offset: Mapped[int | None] = mapped_column(BigInteger)
    digest: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (CheckConstraint("id = 1", name="ck_feed_state_single"),)
