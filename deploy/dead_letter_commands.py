"""`linli dead-letters`: events that a consumer could not handle."""

import argparse
import json
from dataclasses import asdict
from typing import Any

from deploy import dead_letters
from deploy.broker import Broker
from deploy.commands import REFUSED, add_command, agreed, on_broker, positive, say


def declare(commands: Any) -> None:
    """Add the commands of this area to the parser."""
    text = "how many there are for each queue"
    command = add_command(commands, "list", on_broker(list_dead_letters), text)
    command.add_argument("--queue", help="only this one")
    text = "the oldest, with their reasons"
    command = add_command(commands, "show", on_broker(show_dead_letters), text)
    command.add_argument("queue", help="the consumer's queue, such as tickets.on_area_changed")
    command.add_argument("--limit", type=positive, default=10, help="how many (10)")
    for name, run, text in (
        ("replay", replay_dead_letters, "send them back to the queue they came from"),
        ("drop", drop_dead_letters, "throw them away for good, and say which"),
    ):
        command = add_command(commands, name, on_broker(run), text, asks=True)
        command.add_argument("queue", help="the consumer's queue")
        which = command.add_mutually_exclusive_group(required=True)
        which.add_argument("--id", action="append", help="an id that `show` names; may be repeated")
        which.add_argument("--all", action="store_true", help="all that are there now")


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
    if not agreed(asked, f"Send {_which(asked)} back to {asked.queue}?"):
        return REFUSED
    moved = dead_letters.replay(broker, asked.queue, asked.id or None)
    return say(asked, f"{moved} sent back to {asked.queue}.", {"replayed": moved})


def drop_dead_letters(broker: Broker, asked: argparse.Namespace) -> int:
    if not agreed(asked, f"Throw {_which(asked)} of {asked.queue} away? No consumer sees them."):
        return REFUSED
    dropped: list[str] = []
    # Each is told before it goes: what a broken connection leaves untold is still there.
    for letter in dead_letters.drop(broker, asked.queue, asked.id or None):
        dropped.append(letter.id)
        if not asked.json:
            print(f"{letter.id}  {letter.reason}", flush=True)
    return say(asked, f"{len(dropped)} thrown away.", {"queue": asked.queue, "dropped": dropped})


def _which(asked: argparse.Namespace) -> str:
    return f"{len(asked.id)} dead letters" if asked.id else "all dead letters"


def _letter(letter: dead_letters.DeadLetter) -> str:
    head = f"{letter.id}  {letter.reason}  after {letter.attempts} attempts  {letter.died_at or ''}"
    body = letter.event
    if not isinstance(body, str):
        body = json.dumps(body, ensure_ascii=False, indent=2)
    return "\n".join(filter(None, (head.rstrip(), letter.detail, body)))
