"""Every variable that is read is documented, with the default it has, and no other is."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from chassis.settings import ServiceSettings
from services.gateway.settings import GatewaySettings
from services.notifications.settings import NotificationsSettings
from services.residents.settings import ResidentsSettings

PAGE = Path("docs/settings.md").read_text(encoding="utf-8")
SOURCES = [
    *(path for folder in ("chassis", "services", "deploy") for path in Path(folder).rglob("*.py")),
    *map(Path, ("Makefile", "linli")),
]
SETTINGS = (ServiceSettings, GatewaySettings, NotificationsSettings, ResidentsSettings)
# Formatted into a name, or what a prefix is looked for by: the whole names stand elsewhere.
_VARIABLE = re.compile(r"\b(?:LINLI|OTEL)_[A-Z_]*[A-Z](?:_\{SERVICE\}|_<SERVICE>|_\{[a-z])?")
_OF_A_SERVICE = re.compile(r"(_\{.*|_(RESIDENTS|TICKETS|NOTIFICATIONS|GATEWAY))$")


def general(name):
    """`LINLI_WORKERS_GATEWAY` and `LINLI_WORKERS_{SERVICE}` are one."""
    return _OF_A_SERVICE.sub("_<SERVICE>", name)


def named(text):
    """The variables that a text names."""
    return {general(name) for name in _VARIABLE.findall(text)}


DOCUMENTED = named(PAGE)
READ = set().union(*(named(path.read_text(encoding="utf-8")) for path in SOURCES))


def test_every_variable_that_is_read_is_documented():
    whole = {name for name in READ if not any(other.startswith(f"{name}_") for other in READ)}

    assert not whole - DOCUMENTED


def test_no_variable_is_documented_that_nobody_reads():
    assert not DOCUMENTED - READ


def defaults():
    """Variable and default of every setting that has one which reads as it is written."""
    for settings in SETTINGS:
        for item in fields(settings):
            default = item.metadata.get("default")
            if isinstance(default, int | float | str):
                yield general(item.metadata["variable"]), str(default)


@pytest.mark.parametrize(("variable", "default"), sorted(set(defaults())))
def test_a_default_is_the_documented_one(variable, default):
    (row,) = (
        line for line in PAGE.splitlines() if line.startswith("|") and f"`{variable}`" in line
    )

    assert re.search(rf"[ ]{re.escape(default)}[ ,]", row), row
