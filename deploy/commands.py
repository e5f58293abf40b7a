"""What the `linli` commands have in common: options, questions, answers, exit codes."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from deploy import settings
from deploy.broker import Broker

DONE, REFUSED, WRONG_USAGE, UNREACHABLE = 0, 1, 2, 3

Run = Callable[[argparse.Namespace], int]
"""What a command does: takes what was asked, with the environment in `environ`, and returns its
exit code.
"""


class Refused(Exception):
    """What was asked cannot be done, or not now; the message says why and what to do."""


def add_area(areas: Any, name: str, text: str) -> Any:
    """An area of commands, such as `departments`; add commands to what this returns."""
    area = areas.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    return area.add_subparsers(required=True, metavar="COMMAND")


def on_broker(run: Callable[[Broker, argparse.Namespace], int]) -> Run:
    """The command that `run` is, with the broker that the environment names."""
    return lambda asked: run(settings.broker(asked.environ), asked)


def add_command(
    commands: Any, name: str, run: Run, text: str, *, asks: bool = False
) -> argparse.ArgumentParser:
    """A command of an area, with the options that every command has."""
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        # Half an option that some version takes for another one is a trap.
        allow_abbrev=False,
    )
    command.set_defaults(run=run)
    command.add_argument("--json", action="store_true", help="answer in JSON")
    if asks:
        command.add_argument("--yes", action="store_true", help="do not ask")
    return command


def positive(text: str) -> int:
    """An option's value that is at least 1; raises ArgumentTypeError."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def agreed(asked: argparse.Namespace, question: str) -> bool:
    """Whether the operator says yes. Without a terminal nobody can answer, so it is no."""
    if asked.yes:
        return True
    if not sys.stdin.isatty():
        return not fail(REFUSED, f"{question} Say --yes.")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def say(asked: argparse.Namespace, text: str, answer: Mapping[str, Any]) -> int:
    """Write the text, or the answer as JSON where that is asked for; returns DONE."""
    print(json.dumps(answer, ensure_ascii=False) if asked.json else text)
    return DONE


def fail(code: int, problem: object) -> int:
    """Write what went wrong to standard error; returns the code."""
    print(f"linli: {problem}", file=sys.stderr)
    return code
