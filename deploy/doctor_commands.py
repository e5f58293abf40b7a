"""`linli doctor`."""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from deploy.commands import DONE, REFUSED, UNREACHABLE, add_command, say
from deploy.databases import SERVICES


def declare(commands: Any) -> None:
    """Add it to the parser."""
    text = "look at everything, and say what to do; exit 1 if something is bad, 3 if it is away"
    add_command(commands, "doctor", examine, text)


def examine(asked: argparse.Namespace) -> int:
    from deploy.doctor.findings import Level

    found = []
    for finding in _findings(asked.environ):
        found.append(finding)
        if not asked.json:
            print(finding, flush=True)
    levels = {finding.level for finding in found}
    many = {str(level): sum(each.level is level for each in found) for level in Level}
    text = ", ".join(f"{count} {level}" for level, count in many.items() if count)
    say(asked, text, {"findings": list(map(asdict, found)), "count": many})
    if Level.AWAY in levels:
        return UNREACHABLE
    return REFUSED if Level.BAD in levels else DONE


def _findings(environ: Mapping[str, str]) -> Iterator[Any]:
    from deploy.doctor import broker, databases, services
    from deploy.doctor.findings import examined

    for name in SERVICES:
        look = partial(databases.database, name)
        yield from examined(f"database {name}", look, environ)
    for what, examination in (
        ("PostgreSQL", databases.server),
        ("outbox", databases.outbox),
        ("broker", broker.examine),
        ("feed", services.feed),
        ("keys", services.keys),
    ):
        yield from examined(what, examination, environ)
    for name in SERVICES:
        look = partial(services.readiness, name)
        yield from examined(f"service {name}", look, environ)
