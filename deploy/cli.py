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

from chassis.settings import SettingsError, with_files
from deploy import (
    accounts,
    dead_letters,
    department_commands,
    official_areas,
    permissions,
    settings,
    topology,
)
from deploy.broker import Broker
from deploy.commands import (
    DONE,
    REFUSED,
    UNREACHABLE,
    WRONG_USAGE,
    add_command,
    agreed,
    fail,
    positive,
    say,
)
from deploy.confirms import NotStored
from deploy.management import ManagementError

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
    asked = _parser().parse_args(arguments)
    try:
        asked.environ = with_files(environ)
        return int(asked.run(settings.broker(asked.environ), asked))
    except (settings.SettingMissing, SettingsError) as missing:
        return fail(WRONG_USAGE, missing)
    except REFUSALS as refusal:
        return fail(REFUSED, refusal)
    except OUTAGES as outage:
        return fail(UNREACHABLE, f"the broker does not answer: {type(outage).__name__}: {outage}")


def list_dead_letters(broker: Broker, asked: argparse.Namespace) -> int:
    counts = dead_letters.counts(broker)
    if asked.queue:
        counts = {asked.queue: counts[asked.queue]} if asked.queue in counts else {}
    lines = [f"{count:8}  {queue}" for queue, count in counts.items() if count or asked.queue]
    return say(asked, "\n".join(lines) or "No dead letters.", {"queues": counts})


def show_dead_letters(broker: Broker, asked: argparse.Namespace) -> int:
    letters = dead_letters.letters(broker, asked.queue, asked.limit)
    text = "\n\n".join(map(_letter, letters)) or "No dead letters."
    return say(asked, text, {"queue": asked.queue, "letters": list(map(asdict, letters))})


def replay_dead_letters(broker: Broker, asked: argparse.Namespace) -> int:
    what = f"{len(asked.id)} dead letters" if asked.id else "all dead letters"
    if not agreed(asked, f"Send {what} back to {asked.queue}?"):
        return REFUSED
    moved = dead_letters.replay(broker, asked.queue, asked.id or None)
    return say(asked, f"{moved} sent back to {asked.queue}.", {"replayed": moved})


def apply_topology(broker: Broker, asked: argparse.Namespace) -> int:
    changed = list(map(str, topology.apply(broker, topology.plan(asked.environ))))
    text = "\n".join(changed) or "The broker is as planned."
    return say(asked, text, {"changed": changed})


def check_topology(broker: Broker, asked: argparse.Namespace) -> int:
    found = list(map(str, topology.check(broker, topology.plan(asked.environ))))
    say(asked, "\n".join(found) or "The broker is as planned.", {"differences": found})
    return REFUSED if found else DONE


def rebuild_figures(_broker: Broker, asked: argparse.Namespace) -> int:
    from services.tickets import figure_rows

    made = figure_rows.rebuild(asked.environ)
    return say(asked, f"The figures of {made} tickets are made anew.", {"tickets": made})


def fetch_official(_broker: Broker, asked: argparse.Namespace) -> int:
    path = official_areas.fetch()
    return say(asked, f"The official area codes are in {path}.", {"archive": str(path)})


def load_official(_broker: Broker, asked: argparse.Namespace) -> int:
    loaded = official_areas.load(asked.environ)
    return say(asked, f"The registry knows {loaded} official areas.", {"areas": loaded})


def rotate_keys(_broker: Broker, asked: argparse.Namespace) -> int:
    from services.notifications.webhooks import resealing
    from services.residents import rotation

    def tell(what: str) -> Callable[[int], None]:
        return lambda done: None if asked.json else print(f"{done} {what}")

    wraps = rotation.rotate(asked.environ, tell("data keys wrapped anew"), asked.batch)
    opens = resealing.reseal(asked.environ, tell("webhook secrets sealed anew"), asked.batch)
    text = f"{_wraps(wraps)}\n{_opens(opens)}"
    say(asked, text, {"wraps": wraps, "webhook_secrets": opens})
    *old, _ = wraps
    return REFUSED if opens["older"] or any(wraps[name] for name in old) else DONE


def _wraps(keys: Mapping[str, int]) -> str:
    *old, newest = keys
    left = sum(keys[name] for name in old)
    idle = [name for name in old if not keys[name]]
    text = f"{newest} wraps {keys[newest]} data keys, older ones {left}."
    return f"{text} No longer needed: {', '.join(idle)}." if idle else text


def _opens(secrets: Mapping[str, int]) -> str:
    text = "The newest webhook key opens {newest} secrets, only an older one {older}, none {none}."
    return text.format(**secrets)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="linli", description="What an operator does to a running system."
    )
    areas = parser.add_subparsers(required=True, metavar="AREA")
    department_commands.declare(_area(areas, "departments", "departments' access to their events"))
    _dead_letters(_area(areas, "dead-letters", "events that a consumer could not handle"))
    _official(_area(areas, "areas", "the official area codes of the country"))
    _topology(_area(areas, "topology", "exchanges, queues, bindings, policies and users"))
    _keys(_area(areas, "keys", "the keys that protect personal data and secrets"))
    _figures(_area(areas, "figures", "what the rates are counted from"))
    return parser


def _dead_letters(commands: Any) -> None:
    command = add_command(commands, "list", list_dead_letters, "how many there are for each queue")
    command.add_argument("--queue", help="only this one")
    command = add_command(commands, "show", show_dead_letters, "the oldest, with their reasons")
    command.add_argument("queue", help="the consumer's queue, such as tickets.on_area_changed")
    command.add_argument("--limit", type=positive, default=10, help="how many (10)")
    command = add_command(commands, "replay", replay_dead_letters, "send them back", asks=True)
    command.add_argument("queue", help="the consumer's queue")
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("--id", action="append", help="an id that `show` names; may be repeated")
    which.add_argument("--all", action="store_true", help="all that are there now")


def _official(commands: Any) -> None:
    add_command(commands, "fetch-official", fetch_official, "fetch the official codes, once")
    add_command(commands, "load-official", load_official, "load them into the registry")


def _topology(commands: Any) -> None:
    add_command(commands, "apply", apply_topology, "declare what is missing; nothing when repeated")
    add_command(commands, "check", check_topology, "tell where the broker differs from the plan")


def _keys(commands: Any) -> None:
    command = add_command(commands, "rotate", rotate_keys, "put everything under the newest keys")
    command.add_argument("--batch", type=positive, default=500, help="at a time (500)")


def _figures(commands: Any) -> None:
    add_command(commands, "rebuild", rebuild_figures, "make them anew from tickets' history")


def _area(areas: Any, name: str, text: str) -> Any:
    area = areas.add_parser(name, help=text, description=text.capitalize() + ".")
    return area.add_subparsers(required=True, metavar="COMMAND")


def _letter(letter: dead_letters.DeadLetter) -> str:
    head = f"{letter.id}  {letter.reason}  after {letter.attempts} attempts  {letter.died_at or ''}"
    body = letter.event
    if not isinstance(body, str):
        body = json.dumps(body, ensure_ascii=False, indent=2)
    return "\n".join(filter(None, (head.rstrip(), letter.detail, body)))


if __name__ == "__main__":
    sys.exit(main())
