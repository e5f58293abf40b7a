"""Where operators' commands find the broker."""

import os
from collections.abc import Mapping

from deploy.broker import Broker

VARIABLES = ("LINLI_AMQP_URI", "LINLI_RABBITMQ_MANAGEMENT_URL")


class SettingMissing(Exception):
    """A variable that is needed is not set; the message names it."""


def broker(environ: Mapping[str, str] = os.environ) -> Broker:
    """The broker that the environment names, by an administrator's account; raises
    SettingMissing.
    """
    for variable in VARIABLES:
        if not environ.get(variable):
            raise SettingMissing(f"{variable} must be set")
    return Broker(*(environ[variable] for variable in VARIABLES))
