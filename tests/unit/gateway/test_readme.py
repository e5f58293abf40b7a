"""The README names every setting, with its default."""

import re
from dataclasses import fields
from pathlib import Path

from chassis.settings import ServiceSettings
from services.gateway.settings import GatewaySettings

README = Path("services/gateway/README.md").read_text(encoding="utf-8")
COMMON = {item.name for item in fields(ServiceSettings)} - {"workers"}


def test_every_setting_of_the_gateway_is_documented():
    own = [item for item in fields(GatewaySettings) if item.name not in COMMON]
    variables = {item.metadata["variable"].format(SERVICE="GATEWAY") for item in own}

    assert variables == set(re.findall(r"LINLI_[A-Z_]+(?=[`,])", README)) - {"LINLI_PASSWORD"}


def test_the_defaults_are_those_in_force():
    for item in fields(GatewaySettings):
        default = item.metadata.get("default")
        if item.name not in COMMON and isinstance(default, int | float | str):
            assert str(default) in README, item.name
