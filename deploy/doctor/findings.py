"""What an examination finds: a line each, and what to do where it is not well."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import amqp
import requests
from kombu.exceptions import OperationalError as BrokerAway
from sqlalchemy.exc import SQLAlchemyError

from chassis.settings import SettingsError
from deploy.management import ManagementError
from deploy.settings import SettingMissing


class Level(StrEnum):
    """How it stands: `warn` works and wants to be looked at, `away` is `bad` and does not even
    answer.
    """

    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    AWAY = "away"


@dataclass(frozen=True)
class Finding:
    """One line: how it stands with `what`, in words, and what to do."""

    level: Level
    what: str
    says: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f"\n      → {self.hint}" if self.hint else ""
        return f"{self.level:4}  {self.what}: {self.says}{hint}"


Examination = Callable[[Mapping[str, str]], Iterable[Finding]]
LOST = (OSError, BrokerAway, ManagementError, amqp.AMQPError, SQLAlchemyError)


def ok(what: str, says: str) -> Finding:
    """All is well."""
    return Finding(Level.OK, what, says)


def warn(what: str, says: str, hint: str) -> Finding:
    """Works, and wants to be looked at."""
    return Finding(Level.WARN, what, says, hint)


def bad(what: str, says: str, hint: str) -> Finding:
    """Does not work, or will not be there when it is needed."""
    return Finding(Level.BAD, what, says, hint)


def judged(well: bool, what: str, says: str, hint: str) -> Finding:
    """`ok` or `bad`."""
    return ok(what, says) if well else bad(what, says, hint)


def examined(what: str, examination: Examination, environ: Mapping[str, str]) -> Iterator[Finding]:
    """What an examination finds, however it ends: what does not answer is a finding, too."""
    try:
        yield from examination(environ)
    except (SettingMissing, SettingsError) as missing:
        yield warn(what, f"not looked at: {missing}", "set it and ask again")
    except LOST as lost:
        hint = (
            "is it running, and is its address right? the rest that hangs on it was not looked at"
        )
        yield Finding(Level.AWAY, what, _why(lost), hint)


def _why(lost: Exception) -> str:
    """Its kind, and of a database the driver's words: nothing else may name a password."""
    if isinstance(lost, requests.RequestException | amqp.AMQPError):
        return f"does not answer: {type(lost).__name__}"
    said = str(getattr(lost, "orig", None) or lost).strip() or type(lost).__name__
    return f"does not answer: {said.splitlines()[0]}"
