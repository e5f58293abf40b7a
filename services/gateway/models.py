"""The gateway's own tables: who may sign in and who has, keys, answers kept for repeated requests,
current duties.

No name and no phone is kept: a phone only as a keyed digest, while a one-time code is under way.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Date, DateTime, ForeignKey, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_Moment = DateTime(timezone=True)


class Base(DeclarativeBase):
    """What the migrations must produce."""


class Account(Base):
    """A login with a password for a person; `administrator` stands here because it is no duty in an
    area.
    """

    __tablename__ = "accounts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(Text, unique=True)
    person: Mapped[UUID] = mapped_column(index=True)
    password_hash: Mapped[str] = mapped_column(Text)
    administrator: Mapped[bool] = mapped_column(default=False)
    command_id: Mapped[UUID] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(_Moment)


class SignInFailure(Base):
    """Wrong passwords in a row for a login, whether there is such a login or not."""

    __tablename__ = "sign_in_failures"

    login_digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    failures: Mapped[int]
    locked_until: Mapped[datetime | None] = mapped_column(_Moment)
    last_failed_at: Mapped[datetime] = mapped_column(_Moment, index=True)


class SignInCode(Base):
    """A one-time code under way; `tries` are the wrong ones that were offered while it was good."""

    __tablename__ = "sign_in_codes"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    phone_digest: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    code_digest: Mapped[bytes] = mapped_column(LargeBinary)
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(_Moment, index=True)
    expires_at: Mapped[datetime] = mapped_column(_Moment)
    used_by: Mapped[UUID | None]


class SignedIn(Base):
    """A session; only a digest of its token is kept."""

    __tablename__ = "sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    person: Mapped[UUID] = mapped_column(index=True)
    account: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    method: Mapped[str] = mapped_column(Text)
    user_agent: Mapped[str] = mapped_column(Text)
    command_id: Mapped[UUID] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(_Moment)
    expires_at: Mapped[datetime] = mapped_column(_Moment, index=True)


class ApiKey(Base):
    """A key of a person or a department; only a digest of its token is kept."""

    __tablename__ = "api_keys"
    __table_args__ = (CheckConstraint("owner_kind IN ('person', 'department')", "owner_kind"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    name: Mapped[str] = mapped_column(Text)
    owner_kind: Mapped[str] = mapped_column(Text)
    owner: Mapped[str] = mapped_column(Text)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_by: Mapped[str] = mapped_column(Text)
    command_id: Mapped[UUID] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(_Moment)


class IdempotencyKey(Base):
    """A claim to a POST and, once it has one, its answer. `status` is empty while it runs, or when
    it may run again; `body` is sealed (see idempotency.Scope).
    """

    __tablename__ = "idempotency_keys"

    scope: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    body_digest: Mapped[bytes] = mapped_column(LargeBinary)
    lease: Mapped[UUID]
    leased_until: Mapped[datetime] = mapped_column(_Moment)
    status: Mapped[int | None]
    headers: Mapped[dict[str, str] | None] = mapped_column(JSONB(none_as_null=True))
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(_Moment, index=True)


class Duty(Base):
    """A duty as the registry last told of it; a past or coming one is kept too, for dates are
    compared when it is used.
    """

    __tablename__ = "duties"

    duty: Mapped[UUID] = mapped_column(primary_key=True)
    person: Mapped[UUID] = mapped_column(index=True)
    role: Mapped[str] = mapped_column(Text)
    area: Mapped[str | None] = mapped_column(Text)
    department: Mapped[str | None] = mapped_column(Text)
    starts: Mapped[date] = mapped_column(Date)
    ends: Mapped[date | None] = mapped_column(Date)
    sequence: Mapped[int]
