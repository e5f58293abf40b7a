"""Schemathesis as a program of its own, once for each role."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import services.gateway.service  # noqa: F401 - declares the operations
from chassis.call import Grant
from services.gateway.operation import OPERATIONS, PUBLIC, SIGNED_IN, Operation
from services.gateway.policy import Role, allows, grants_for
from tests.fuzz.world import token_of
from tests.stack.clients import Client, Community

SETTINGS = Path(__file__).with_name("schemathesis.toml")
PROGRAM = Path(sys.executable).with_name("schemathesis")
CLOSED = """
[[operations]]
# Refused before anything is read: at its boundaries the answers would all be the same.
include-operation-id = {}

[operations.phases.coverage]
enabled = false
"""
Answers = Counter[tuple[str, int]]


@dataclass(frozen=True)
class Run:
    """Its exit status, what it said, and how often each operation answered with each status."""

    status: int
    said: str
    answers: Answers


def run(known: Mapping[str, Any], role: str, seed: int, folder: Path, *options: str) -> Run:
    """Fuzz as a role what `ready.json` tells of; `known` also holds the resident's token. With
    options it is brief.
    """
    community = Community(known)
    token = token_of(community, role)
    community.close()
    counted, settings = folder / f"{role}.json", folder / f"{role}.toml"
    closed = closed_to(Client(known["url"], token))
    settings.write_text(SETTINGS.read_text() + CLOSED.format(json.dumps(closed)))
    command = [
        str(PROGRAM),
        "--config-file",
        str(settings),
        "run",
        f"{known['url']}/api/openapi.json",
    ]
    told = {
        "ROLE": role,
        "TOKEN": token or "",
        "SEED": str(seed),
        "BRIEF": "yes" if options else "no",
        "READY": json.dumps(known),
        "CLOSED": json.dumps(closed),
        "ANSWERS": str(counted),
    }
    said = folder / f"{role}.log"
    with said.open("w") as log:
        ran = subprocess.run(
            [*command, "--seed", str(seed), "--no-color", *options],
            env=_environ(told),
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    return Run(ran.returncode, said.read_text(), _read(counted))


def closed_to(client: Client) -> list[str]:
    """The operations that a caller may do to nothing at all."""
    who = client.get("sessions/current").json()
    roles = [Role(**held) for held in who["actor"]["roles"]] if "actor" in who else []
    also = "machine" if who.get("scopes") else "resident" if roles else "anonymous"
    grants = grants_for([*roles, Role(also)], who.get("scopes"))
    return [each.name for each in OPERATIONS if not _is_open(each, grants, signed_in=bool(roles))]


def _is_open(declared: Operation, grants: tuple[Grant, ...], *, signed_in: bool) -> bool:
    if declared.policy == PUBLIC or (signed_in and declared.owner_decides):
        return True
    return signed_in if declared.policy == SIGNED_IN else allows(grants, declared.policy)


def _environ(told: Mapping[str, str]) -> dict[str, str]:
    outside = {name: text for name, text in os.environ.items() if name != "SCHEMATHESIS_HOOKS"}
    ours = {f"FUZZ_{name}": text for name, text in told.items()}
    return {**outside, **ours, "PYTHONPATH": str(Path.cwd())}


def _read(counted: Path) -> Answers:
    found = json.loads(counted.read_text()) if counted.exists() else []
    return Counter({(operation, status): times for operation, status, times in found})
