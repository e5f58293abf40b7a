"""`linli departments`: departments' access to their events."""

import argparse
from dataclasses import asdict
from typing import Any

from chassis.topology import EVENTS_EXCHANGE
from deploy import backlogs, permissions
from deploy.broker import Broker
from deploy.commands import DONE, REFUSED, add_command, agreed, on_broker, positive, say


def declare(commands: Any) -> None:
    """Add the commands of this area to the parser."""
    text = "which departments have access, and how full their queues are"
    command = add_command(commands, "list", on_broker(list_departments), text)
    text = "only queues as full as this, or gone; exit 1 if there are any"
    command.add_argument("--over", type=positive, default=0, metavar="PERCENT", help=text)
    text = "only queues in which something waits and that nobody reads, or gone; exit 1 as well"
    command.add_argument("--unread", action="store_true", help=text)
    for name, run, text in (
        ("grant", grant, "give access and print the AMQP URI once"),
        ("revoke", revoke, "take access away"),
        ("rotate", rotate, "replace the password and close connections"),
        ("add-queue", add_queue, "give a further queue, which the department binds itself"),
        ("remove-queue", remove_queue, "delete such a queue with what it holds"),
    ):
        asks = run in (revoke, rotate, remove_queue)
        command = add_command(commands, name, on_broker(run), text, asks=asks)
        command.add_argument("department", help="the department's code, such as water")
        if run is revoke:
            command.add_argument(
                "--delete-queues",
                action="store_true",
                help="also delete its queues, with what they hold",
            )
        if run in (add_queue, remove_queue):
            command.add_argument("name", help="what follows the code and a dot, such as billing")


def grant(broker: Broker, asked: argparse.Namespace) -> int:
    uri = permissions.grant(broker, asked.department)
    if uri is None:
        text = f"{asked.department} had access already; `rotate` gives it a new password."
    else:
        text = f"{asked.department} reads its events here. This is shown once:\n{uri}"
    return say(asked, text, {"department": asked.department, "amqp_uri": uri})


def revoke(broker: Broker, asked: argparse.Namespace) -> int:
    what = " and delete its queues with what they hold" if asked.delete_queues else ""
    if not agreed(asked, f"Take {asked.department}'s access away{what}?"):
        return REFUSED
    permissions.revoke(broker, asked.department, delete_queues=asked.delete_queues)
    answer = {"department": asked.department, "queues_deleted": asked.delete_queues}
    text = f"{asked.department} hears nothing over AMQP any more. Its API keys and webhooks go on."
    return say(asked, text, answer)


def rotate(broker: Broker, asked: argparse.Namespace) -> int:
    if not agreed(asked, f"Replace {asked.department}'s password and close its connections?"):
        return REFUSED
    uri = permissions.rotate(broker, asked.department)
    text = f"{asked.department} has a new password. This is shown once:\n{uri}"
    return say(asked, text, {"department": asked.department, "amqp_uri": uri})


def add_queue(broker: Broker, asked: argparse.Namespace) -> int:
    name = permissions.add_queue(broker, asked.department, asked.name)
    text = (
        f"{name} is there. {asked.department} binds it to {EVENTS_EXCHANGE} with keys of its own."
    )
    return say(asked, text, {"department": asked.department, "queue": name})


def remove_queue(broker: Broker, asked: argparse.Namespace) -> int:
    if not agreed(asked, f"Delete {asked.department}.{asked.name} with what it holds?"):
        return REFUSED
    permissions.remove_queue(broker, asked.department, asked.name)
    answer = {"department": asked.department, "queue": f"{asked.department}.{asked.name}"}
    return say(asked, f"{answer['queue']} is gone.", answer)


def list_departments(broker: Broker, asked: argparse.Namespace) -> int:
    alarms = bool(asked.over or asked.unread)
    found = [
        each
        for each in backlogs.backlogs(broker)
        if not alarms
        or each.missing
        or (asked.over and each.percent >= asked.over)
        or (asked.unread and each.unread)
    ]
    text = "\n".join(map(str, found)) or ("All is well." if alarms else "No department has access.")
    say(asked, text, {"queues": list(map(asdict, found))})
    return REFUSED if alarms and found else DONE
