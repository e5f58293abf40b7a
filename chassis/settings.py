"""Settings are read once, at start, from the environment into a frozen object.

A missing setting, or a secret that is missing or a known placeholder, refuses to start and names
its variable. Any of them may lie in a file instead, which `<variable>_FILE` names: so containers
are given their secrets.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

_IN_A_FILE = re.compile(r"(LINLI_[A-Z_]+)_FILE")
_PLACEHOLDERS = {"", "change-me", "changeme", "secret", "password", "default", "guest"}


class SettingsError(Exception):
    """A setting is missing or unusable; the message names its variable."""


def with_files(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment, with each variable whose file it names, without the end of its last line.

    Raises SettingsError for a file that cannot be read, and for a variable that is given
    twice and otherwise.
    """
    named = {name: found[1] for name in environ if (found := _IN_A_FILE.fullmatch(name))}
    read = {name: _content(file, environ[file]) for file, name in named.items() if environ[file]}
    if twice := [name for name, text in read.items() if environ.get(name) not in (None, "", text)]:
        raise SettingsError(f"{twice[0]} and {twice[0]}_FILE must not both be set")
    return {**environ, **read}


def _content(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{variable} names a file that cannot be read") from error


def setting(variable: str, default: Any = MISSING, parse: Callable[[str], Any] = str) -> Any:
    """A field read from `variable` (which may contain `{SERVICE}`) through `parse`."""
    return field(metadata={"variable": variable, "default": default, "parse": parse})


def secret(variable: str, parse: Callable[[str], Any] = str) -> Any:
    """A field that must be set to something that is no placeholder; it never shows in a repr."""
    return field(metadata={"variable": variable, "secret": True, "parse": parse}, repr=False)


def hidden(variable: str, parse: Callable[[str], Any] = str) -> Any:
    """An optional field that never shows in a repr."""
    return field(metadata={"variable": variable, "default": None, "parse": parse}, repr=False)


def database_url(text: str) -> str:
    """A PostgreSQL URL that names our driver: with none, SQLAlchemy would look for psycopg 3."""
    return re.sub("^postgres(ql)?://", "postgresql+psycopg2://", text)


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """What every service needs to know. A service adds its own in a frozen subclass.

    Times are in seconds. `workers` is also the size of the database pool: more workers than
    connections would only queue for them.
    """

    service: str = field(metadata={"given": True})
    amqp_uri: str = secret("LINLI_AMQP_URI")
    database_url: str = secret("LINLI_DATABASE_URL_{SERVICE}", database_url)
    workers: int = setting("LINLI_WORKERS_{SERVICE}", 10, int)
    prefetch: int = setting("LINLI_PREFETCH_{SERVICE}", 10, int)
    statement_timeout: float = setting("LINLI_STATEMENT_TIMEOUT", 5.0, float)
    lock_timeout: float = setting("LINLI_LOCK_TIMEOUT", 2.0, float)
    health_host: str = setting("LINLI_HEALTH_HOST", "127.0.0.1")
    health_port: int = setting("LINLI_HEALTH_PORT_{SERVICE}", 0, int)
    grace: float = setting("LINLI_GRACE_SECONDS", 8.0, float)
    log_level: str = setting("LINLI_LOG_LEVEL", "INFO")
    otlp_endpoint: str | None = hidden("OTEL_EXPORTER_OTLP_ENDPOINT")

    @classmethod
    def load(cls, service: str, environ: Mapping[str, str] = os.environ) -> Self:
        """Read every field from the environment; raises SettingsError naming the first variable at
        fault.
        """
        given = with_files(environ)
        values = {
            item.name: _read(item.metadata, service, given)
            for item in fields(cls)
            if "variable" in item.metadata
        }
        return cls(service=service, **values)


def _read(metadata: Mapping[str, Any], service: str, environ: Mapping[str, str]) -> Any:
    variable = metadata["variable"].format(SERVICE=service.upper())
    text = environ.get(variable)
    if metadata.get("secret") and (text or "").lower() in _PLACEHOLDERS:
        raise SettingsError(f"{variable} must be set, and not to a placeholder")
    if text is None:
        if metadata["default"] is MISSING:
            raise SettingsError(f"{variable} must be set")
        return metadata["default"]
    try:
        return metadata["parse"](text)
    except ValueError as error:
        # Without the value: it may be a secret.
        raise SettingsError(f"{variable} is malformed") from error
