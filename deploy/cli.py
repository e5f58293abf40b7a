"""The `linli` command: what an operator does to a running system.

Exit codes: 0 done, 1 refused or not as it should be, 2 wrong usage, 3 the broker cannot be
reached.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import amqp
from kombu.exceptions import OperationalError

from chassis.settings import SettingsError
from chassis.topology import EVENTS_EXCHANGE
from deploy import accounts, backlogs, dead_letters, official_areas, permissions, settings, topology
from deploy.broker import Broker
from deploy.confirms import NotStored
from deploy.management import ManagementError

DONE, REFUSED, WRONG_USAGE, UNREACHABLE = 0, 1, 2, 3
REFUSALS = (
    accounts.NoPassword,
    amqp.exceptions.ChannelError,
    dead_letters.UnknownQueue,
    official_areas.NotFetched,
    permissions.NoSuchQueue,
    permissions.NotGranted,
    permissions.UnknownCode,
    permissions.UnknownName,
    topology.TopologyDiffers,
    NotStored,
)
OUTAGES = (OSError, OperationalError, ManagementError, amqp.exceptions.ConnectionError)


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run one command; what it found goes to standard output, what went wrong to standard
    error.
    """
    asked = _parser().parse_args(arguments, argparse.Namespace(environ=environ))
    try:
        return int(asked.run(settings.broker(environ), asked))
    except (settings.SettingMissing, SettingsError) as missing:
        return _fail(WRONG_USAGE, missing)
    except REFUSALS as refusal:
        return _fail(REFUSED, refusal)
    except OUTAGES as outage:
        return _fail(UNREACHABLE, f"the broker does not answer: {type(outage).__name__}: {outage}")


def grant(broker: Broker, asked: argparse.Namespace) -> int:
    uri = permissions.grant(broker, asked.department)
    if uri is None:
        text = f"{asked.department} had access already; `rotate` gives it a new password."
    else:
        text = f"{asked.department} reads its events here. This is shown once:\n{uri}"
    return _print(asked, text, {"department": asked.department, "amqp_uri": uri})


def revoke(broker: Broker, asked: argparse.Namespace) -> int:
    what = " and delete its queues with what they hold" if asked.delete_queues else ""
    if not _agreed(asked, f"Take {asked.department}'s access away{what}?"):
        return REFUSED
    permissions.revoke(broker, asked.department, delete_queues=asked.delete_queues)
    answer = {"department": asked.department, "queues_deleted": asked.delete_queues}
    text = f"{asked.department} hears nothing over AMQP any more. Its API keys and webhooks go on."
    return _print(asked, text, answer)


def rotate(broker: Broker, asked: argparse.Namespace) -> int:
    if not _agreed(asked, f"Replace {asked.department}'s password and close its connections?"):
        return REFUSED
    uri = permissions.rotate(broker, asked.department)
    text = f"{asked.department} has a new password. This is shown once:\n{uri}"
    return _print(asked, text, {"department": asked.department, "amqp_uri": uri})


def add_queue(broker: Broker, asked: argparse.Namespace) -> int:
    name = permissions.add_queue(broker, asked.department, asked.name)
    text = (
        f"{name} is there. {asked.department} binds it to {EVENTS_EXCHANGE} with keys of its own."
    )
    return _print(asked, text, {"department": asked.department, "queue": name})


def remove_queue(broker: Broker, asked: argparse.Namespace) -> int:
    if not _agreed(asked, f"Delete {asked.department}.{asked.name} with what it holds?"):
        return REFUSED
    permissions.remove_queue(broker, asked.department, asked.name)
    answer = {"department": asked.department, "queue": f"{asked.department}.{asked.name}"}
    return _print(asked, f"{answer['queue']} is gone.", answer)


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
    _print(asked, text, {"queues": list(map(asdict, found))})
    return REFUSED if alarms and found else DONE


def list_dead_letters(broker: Broker, asked: argparse.Namespace) -> int:
    counts = dead_letters.counts(broker)
    if asked.queue:
        counts = {asked.queue: counts[asked.queue]} if asked.queue in counts else {}
    lines = [f"{count:8}  {queue}" for queue, count in counts.items() if count or asked.queue]
    return _print(asked, "\n".join(lines) or "No dead letters.", {"queues": counts})


def show_dead_letters(broker: Broker, asked: argparse.Namespace) -> int:
    letters = dead_letters.letters(broker, asked.queue, asked.limit)
    text = "\n\n".join(map(_letter, letters)) or "No dead letters."
    return _print(asked, text, {"queue": asked.queue, "letters": list(map(asdict, letters))})


def replay_dead_letters(broker: Broker, asked: argparse.Namespace) -> int:
    what = f"{len(asked.id)} dead letters" if asked.id else "all dead letters"
    if not _agreed(asked, f"Send {what} back to {asked.queue}?"):
        return REFUSED
    moved = dead_letters.replay(broker, asked.queue, asked.id or None)
    return _print(asked, f"{moved} sent back to {asked.queue}.", {"replayed": moved})


def apply_topology(broker: Broker, asked: argparse.Namespace) -> int:
    changed = list(map(str, topology.apply(broker, topology.plan(asked.environ))))
    text = "\n".join(changed) or "The broker is as planned."
    return _print(asked, text, {"changed": changed})


def check_topology(broker: Broker, asked: argparse.Namespace) -> int:
    found = list(map(str, topology.check(broker, topology.plan(asked.environ))))
    _print(asked, "\n".join(found) or "The broker is as planned.", {"differences": found})
    return REFUSED if found else DONE


def rebuild_figures(_broker: Broker, asked: argparse.Namespace) -> int:
    from services.tickets import figure_rows

    made = figure_rows.rebuild(asked.environ)
    return _print(asked, f"The figures of {made} tickets are made anew.", {"tickets": made})


def fetch_official(_broker: Broker, asked: argparse.Namespace) -> int:
    path = official_areas.fetch()
    return _print(asked, f"The official area codes are in {path}.", {"archive": str(path)})


def load_official(_broker: Broker, asked: argparse.Namespace) -> int:
    loaded = official_areas.load(asked.environ)
    return _print(asked, f"The registry knows {loaded} official areas.", {"areas": loaded})


def rotate_keys(_broker: Broker, asked: argparse.Namespace) -> int:
    from services.residents import rotation

    def tell(done: int) -> None:
        if not asked.json:
            print(f"{done} data keys wrapped anew")

    keys = rotation.rotate(asked.environ, tell, asked.batch)
    *old, newest = keys
    left = sum(keys[name] for name in old)
    idle = [name for name in old if not keys[name]]
    text = f"{newest} wraps {keys[newest]} data keys, older ones {left}."
    if idle:
        text += f" No longer needed: {', '.join(idle)}."
    _print(asked, text, {"wraps": keys})
    return REFUSED if left else DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="linli", description="What an operator does to a running system."
    )
    areas = parser.add_subparsers(required=True, metavar="AREA")
    _departments(_area(areas, "departments", "departments' access to their events"))
    _dead_letters(_area(areas, "dead-letters", "events that a consumer could not handle"))
    _official(_area(areas, "areas", "the official area codes of the country"))
    _topology(_area(areas, "topology", "exchanges, queues, bindings, policies and users"))
    _keys(_area(areas, "keys", "the keys that protect personal data"))
    _figures(_area(areas, "figures", "what the rates are counted from"))
    return parser


def _departments(commands: Any) -> None:
    text = "which departments have access, and how full their queues are"
    command = _command(commands, "list", list_departments, text)
    text = "only queues as full as this, or gone; exit 1 if there are any"
    command.add_argument("--over", type=_positive, default=0, metavar="PERCENT", help=text)
    text = "only queues in which something waits and that nobody reads, or gone; exit 1 as well"
    command.add_argument("--unread", action="store_true", help=text)
    for name, run, text in (
        ("grant", grant, "give access and print the AMQP URI once"),
        ("revoke", revoke, "take access away"),
        ("rotate", rotate, "replace the password and close connections"),
        ("add-queue", add_queue, "give a further queue, which the department binds itself"),
        ("remove-queue", remove_queue, "delete such a queue with what it holds"),
    ):
        command = _command(commands, name, run, text, asks=run in (revoke, rotate, remove_queue))
        command.add_argument("department", help="the department's code, such as water")
        if run is revoke:
            command.add_argument(
                "--delete-queues",
                action="store_true",
                help="also delete its queues, with what they hold",
            )
        if run in (add_queue, remove_queue):
            command.add_argument("name", help="what follows the code and a dot, such as billing")


def _dead_letters(commands: Any) -> None:
    command = _command(commands, "list", list_dead_letters, "how many there are for each queue")
    command.add_argument("--queue", help="only this one")
    command = _command(commands, "show", show_dead_letters, "the oldest, with their reasons")
    command.add_argument("queue", help="the consumer's queue, such as tickets.on_area_changed")
    command.add_argument("--limit", type=_positive, default=10, help="how many (10)")
    command = _command(commands, "replay", replay_dead_letters, "send them back", asks=True)
    command.add_argument("queue", help="the consumer's queue")
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("--id", action="append", help="an id that `show` names; may be repeated")
    which.add_argument("--all", action="store_true", help="all that are there now")


def _official(commands: Any) -> None:
    _command(commands, "fetch-official", fetch_official, "fetch the official codes, once")
    _command(commands, "load-official", load_official, "load them into the registry")


def _topology(commands: Any) -> None:
    _command(commands, "apply", apply_topology, "declare what is missing; nothing when repeated")
    _command(commands, "check", check_topology, "tell where the broker differs from the plan")


def _keys(commands: Any) -> None:
    command = _command(commands, "rotate", rotate_keys, "wrap all data keys by the newest one")
    command.add_argument("--batch", type=_positive, default=500, help="at a time (500)")


def _figures(commands: Any) -> None:
    _command(commands, "rebuild", rebuild_figures, "make them anew from tickets' history")


def _area(areas: Any, name: str, text: str) -> Any:
    area = areas.add_parser(name, help=text, description=text.capitalize() + ".")
    return area.add_subparsers(required=True, metavar="COMMAND")


def _command(
    commands: Any,
    name: str,
    run: Callable[[Broker, argparse.Namespace], int],
    text: str,
    *,
    asks: bool = False,
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text.capitalize() + "."
    )
    command.set_defaults(run=run)
    command.add_argument("--json", action="store_true", help="answer in JSON")
    if asks:
        command.add_argument("--yes", action="store_true", help="do not ask")
    return command


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _agreed(asked: argparse.Namespace, question: str) -> bool:
    """Without a terminal nobody can answer, so it is no."""
    if asked.yes:
        return True
    if not sys.stdin.isatty():
        return not _fail(REFUSED, f"{question} Say --yes.")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def _letter(letter: dead_letters.DeadLetter) -> str:
    head = f"{letter.id}  {letter.reason}  after {letter.attempts} attempts  {letter.died_at or ''}"
    body = letter.event
    if not isinstance(body, str):
        body = json.dumps(body, ensure_ascii=False, indent=2)
    return "\n".join(filter(None, (head.rstrip(), letter.detail, body)))


def _print(asked: argparse.Namespace, text: str, answer: Mapping[str, Any]) -> int:
    print(json.dumps(answer, ensure_ascii=False) if asked.json else text)
    return DONE


def _fail(code: int, problem: object) -> int:
    print(f"linli: {problem}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
