"""`linli topology`: what the broker should hold, and whether it does."""

import argparse
from typing import Any

from deploy import topology
from deploy.broker import Broker
from deploy.commands import DONE, REFUSED, add_command, on_broker, say

AS_PLANNED = "The broker is as planned."


def declare(commands: Any) -> None:
    """Add the commands of this area to the parser."""
    text = "declare what is missing; nothing when repeated"
    add_command(commands, "apply", on_broker(apply_topology), text)
    text = "tell where the broker differs from the plan"
    add_command(commands, "check", on_broker(check_topology), text)


def apply_topology(broker: Broker, asked: argparse.Namespace) -> int:
    changed = list(map(str, topology.apply(broker, topology.plan(asked.environ))))
    return say(asked, "\n".join(changed) or AS_PLANNED, {"changed": changed})


def check_topology(broker: Broker, asked: argparse.Namespace) -> int:
    found = list(map(str, topology.check(broker, topology.plan(asked.environ))))
    say(asked, "\n".join(found) or AS_PLANNED, {"differences": found})
    return REFUSED if found else DONE
