"""`linli api-keys`: tokens of programs, through the API, whose rules hold."""

import argparse
from typing import Any
from uuid import UUID

from deploy import settings
from deploy.commands import REFUSED, add_command, agreed, say


def declare(commands: Any) -> None:
    """Add the commands of this area to the parser."""
    add_command(commands, "list", list_keys, "all keys, oldest first, without their tokens")
    command = add_command(commands, "create", create, "make a key and print its token once")
    command.add_argument("--name", required=True, help="what it is for")
    owner = command.add_mutually_exclusive_group(required=True)
    owner.add_argument("--person", type=UUID, help="the person whom it acts as")
    owner.add_argument("--department", help="the department that it acts as")
    text = "such as tickets:read; may be repeated"
    command.add_argument("--scope", required=True, action="append", help=text)
    command = add_command(commands, "revoke", revoke, "end a key, at once and for good", asks=True)
    command.add_argument("key", type=UUID, help="its id, which `list` names")


def list_keys(asked: argparse.Namespace) -> int:
    found = list(settings.api(asked.environ).items("api-keys"))
    return say(asked, "\n".join(map(_line, found)) or "No keys.", {"api_keys": found})


def create(asked: argparse.Namespace) -> int:
    owner = {"person": str(asked.person)} if asked.person else {"department": asked.department}
    body = {"name": asked.name, "owner": owner, "scopes": asked.scope}
    made = settings.api(asked.environ).post("api-keys", body)
    return say(asked, f"{_line(made)}\nThis is shown once:\n{made['token']}", made)


def revoke(asked: argparse.Namespace) -> int:
    api = settings.api(asked.environ)
    name = api.get(f"api-keys/{asked.key}")["name"]
    if not agreed(asked, f"Revoke {name!r}? What uses it is turned away from now on."):
        return REFUSED
    api.delete(f"api-keys/{asked.key}")
    return say(asked, f"{asked.key} opens nothing any more.", {"revoked": str(asked.key)})


def _line(key: dict[str, Any]) -> str:
    [(kind, owner)] = key["owner"].items()
    return f"{key['id']}  {key['name']}  {kind} {owner}  {' '.join(key['scopes'])}"
