"""`linli duties`: who has which role where, through the API, whose rules and audit hold."""

import argparse
from datetime import date
from typing import Any
from uuid import UUID

from deploy import settings
from deploy.commands import REFUSED, add_command, agreed, say


def declare(commands: Any) -> None:
    """Add the commands of this area to the parser."""
    command = add_command(commands, "list", list_duties, "duties, in the order they were given")
    command.add_argument("--person", type=UUID, help="only this person's")
    command.add_argument("--role", help="only of this role, such as grid_worker")
    command.add_argument("--within", metavar="AREA", help="only in this area and below")
    command.add_argument("--department", help="only for this department")
    command.add_argument("--on", type=date.fromisoformat, metavar="DAY", help="in force that day")
    command = add_command(commands, "add", add, "give a person a duty")
    command.add_argument("--person", required=True, type=UUID, help="the id in the registry")
    command.add_argument("--role", required=True, help="such as clerk or department_clerk")
    command.add_argument("--area", help="the code of the area, where the role has one")
    command.add_argument("--department", help="the code of the department, where it has one")
    text = "the first day, such as 2026-12-01"
    command.add_argument("--from", required=True, type=date.fromisoformat, dest="first", help=text)
    command.add_argument("--to", type=date.fromisoformat, dest="last", help="the last day, if any")
    command = add_command(commands, "end", end, "set the last day of a duty", asks=True)
    command.add_argument("duty", type=UUID, help="its id, which `list` names")
    text = "the last day; one right before the first says that it never came into force"
    command.add_argument("--to", required=True, type=date.fromisoformat, dest="last", help=text)


def list_duties(asked: argparse.Namespace) -> int:
    wanted = ("person", "role", "within", "department", "on")
    query = {name: str(value) for name in wanted if (value := getattr(asked, name))}
    found = list(settings.api(asked.environ).items("duties", **query))
    return say(asked, "\n".join(map(_line, found)) or "No duties.", {"duties": found})


def add(asked: argparse.Namespace) -> int:
    body = {"person": str(asked.person), "role": asked.role, "from": asked.first.isoformat()}
    last = asked.last and asked.last.isoformat()
    given = {"area": asked.area, "department": asked.department, "to": last}
    body |= {name: value for name, value in given.items() if value}
    made = settings.api(asked.environ).post("duties", body)
    return say(asked, _line(made), made)


def end(asked: argparse.Namespace) -> int:
    api, path = settings.api(asked.environ), f"duties/{asked.duty}"
    etag = api.etag(path)
    if not agreed(asked, f"End the duty {asked.duty} with {asked.last}?"):
        return REFUSED
    ended = api.patch(path, {"to": asked.last.isoformat()}, etag)
    return say(asked, _line(ended), ended)


def _line(duty: dict[str, Any]) -> str:
    where = duty["department"] or duty["area"] or ""
    days = f"{duty['from']} – {duty['to'] or ''}".rstrip()
    return f"{duty['id']}  {duty['person']}  {duty['role']} {where}  {days}"
