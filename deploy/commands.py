"""What the `linli` commands have in common: options, questions, answers, exit codes."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from deploy.broker import Broker

DONE, REFUSED, WRONG_USAGE, UNREACHABLE = 0, 1, 2, 3


def add_command(
    commands: Any,
    name: str,
    run: Callable[[Broker, argparse.Namespace], int],
    text: str,
    *,
    asks: bool = False,
) -> argparse.ArgumentParser:
    """A command of an area, with the options that every command has."""
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text.capitalize() + "."
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
