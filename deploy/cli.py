"""The `linli` command: what an operator does to a running system, an area a module.

Exit codes: 0 done, 1 refused or not as it should be, 2 wrong usage, 3 a server cannot be reached.
"""

import argparse
import os
import sys
import warnings
from collections.abc import Mapping, Sequence

import amqp
import requests
from kombu.exceptions import OperationalError
from sqlalchemy.exc import OperationalError as DatabaseAway

from chassis.errors import ServiceError
from chassis.settings import SettingsError, with_files
from deploy import (
    accounts,
    api,
    api_key_commands,
    backup_commands,
    dead_letter_commands,
    dead_letters,
    delivery_commands,
    department_commands,
    doctor_commands,
    duty_commands,
    official_areas,
    outbox_commands,
    permissions,
    settings,
    topology,
    topology_commands,
    upkeep_commands,
    user_commands,
)
from deploy.commands import REFUSED, UNREACHABLE, WRONG_USAGE, Refused, add_area, fail
from deploy.confirms import NotStored
from deploy.management import ManagementError

AREAS = (
    ("users", "logins of staff", user_commands.declare),
    ("duties", "who has which role where, through the API", duty_commands.declare),
    ("api-keys", "tokens of programs, through the API", api_key_commands.declare),
    ("departments", "departments' access to their events", department_commands.declare),
    ("dead-letters", "events that a consumer could not handle", dead_letter_commands.declare),
    ("outbox", "events that wait for their way to the broker", outbox_commands.declare),
    ("deliveries", "messages that are held after a restore", delivery_commands.declare),
    ("areas", "the official area codes of the country", upkeep_commands.declare_areas),
    (
        *("topology", "exchanges, queues, bindings, policies and users"),
        topology_commands.declare,
    ),
    (
        *("keys", "the keys that protect personal data and secrets"),
        upkeep_commands.declare_keys,
    ),
    ("figures", "what the rates are counted from", upkeep_commands.declare_figures),
)
REFUSALS = (
    accounts.NoPassword,
    amqp.exceptions.ChannelError,
    api.Refused,
    dead_letters.UnknownQueue,
    official_areas.NotFetched,
    permissions.NoSuchQueue,
    permissions.NotGranted,
    permissions.UnknownCode,
    permissions.UnknownName,
    topology.TopologyDiffers,
    NotStored,
    Refused,
    ServiceError,
)
OUTAGES = (OSError, OperationalError, ManagementError, amqp.exceptions.ConnectionError)


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run one command; what it found goes to standard output, what went wrong to standard
    error.
    """
    # eventlet says at import that it is in maintenance mode: no news to an operator.
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    asked = parser().parse_args(arguments)
    try:
        asked.environ = with_files(environ)
        return int(asked.run(asked))
    except (settings.SettingMissing, SettingsError) as missing:
        return fail(WRONG_USAGE, missing)
    except REFUSALS as refusal:
        return fail(REFUSED, refusal)
    except requests.RequestException as away:
        return fail(UNREACHABLE, f"the gateway does not answer: {type(away).__name__}")
    except DatabaseAway as away:
        # The driver's own words: SQLAlchemy's would add the statement.
        return fail(UNREACHABLE, f"a database does not answer: {away.orig}")
    except OUTAGES as outage:
        return fail(UNREACHABLE, f"the broker does not answer: {type(outage).__name__}: {outage}")


def parser() -> argparse.ArgumentParser:
    """Every command there is."""
    made = argparse.ArgumentParser(
        prog="linli",
        description="What an operator does to a running system.",
        epilog="Exit codes: 0 done, 1 refused or not as it should be, 2 wrong usage, "
        "3 a server cannot be reached. `linli AREA --help` lists the commands of an area.",
    )
    areas = made.add_subparsers(required=True, metavar="AREA")
    for declare in (doctor_commands.declare, backup_commands.declare):
        declare(areas)
    for name, text, declare in AREAS:
        declare(add_area(areas, name, text))
    return made


if __name__ == "__main__":
    sys.exit(main())
