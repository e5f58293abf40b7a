"""`linli outbox`: events that wait for their way to the broker."""

import argparse
from dataclasses import asdict
from typing import Any

from deploy import outboxes
from deploy.commands import DONE, REFUSED, add_command, positive, say


def declare(commands: Any) -> None:
    """Add the commands of this area to the parser."""
    text = "how many wait in each service, for how long, and whether a relay takes them"
    command = add_command(commands, "status", status, text)
    text = "seconds; exit 1 if the oldest has waited longer, or no relay is active (30)"
    command.add_argument("--over", type=positive, default=30, metavar="SECONDS", help=text)


def status(asked: argparse.Namespace) -> int:
    found = outboxes.look(asked.environ)
    answer = [{**asdict(each), "well": each.well(asked.over)} for each in found]
    say(asked, "\n".join(map(str, found)), {"outboxes": answer})
    return DONE if all(each.well(asked.over) for each in found) else REFUSED
