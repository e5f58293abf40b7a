"""What Schemathesis does not know of Linli: which things there are. Three of four well-formed
requests are about real ones, so that they get past "there is no such thing"; what was answered is
counted.

Loaded by Schemathesis itself; `schemathesis.toml` names it.
"""

import atexit
import json
import os
import random
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.core.parameters import ParameterLocation
from schemathesis.openapi.checks import EnsureResourceAvailability, RejectedPositiveData

from chassis import clock
from tests.fuzz.fair import is_fair
from tests.fuzz.seeds import Seeds
from tests.fuzz.world import World
from tests.stack.clients import BUILDING, Community, new_key

ROLE = os.environ["FUZZ_ROLE"]
SEED = os.environ["FUZZ_SEED"]
CLOSED = frozenset(json.loads(os.environ["FUZZ_CLOSED"]))
"""What is refused before anybody looks for the thing: it need not be there."""
READY = json.loads(os.environ["FUZZ_READY"])
WORLD = World(Community(READY), ROLE, os.environ["FUZZ_TOKEN"] or None)
SEEDS = Seeds(WORLD)
ONE_AT_A_TIME = Lock()
"""Schemathesis may ask about several operations at once."""
OFTEN = 0.75
BRIEF = os.environ["FUZZ_BRIEF"] == "yes"
ALIKE = 0.0 if BRIEF else 0.2
"""How many of the boundaries that are alike, after the first."""
KNOWN: dict[str, Any] = {
    "area": BUILDING,
    "within": BUILDING,
    "near": BUILDING,
    "department": "water",
    "category": "water.burst_pipe",
    "tag": "elder_alone",
}
"""Places and codes that are there, by the names of the fields that want one."""
ONLY_OURS = frozenset(
    {
        "sign_out", "end_session", "revoke_api_key", "erase_resident", "amend_resident", "end_duty",
        "change_department",
    }
)  # fmt: skip
"""What would take from the demo's people what everything else stands on: it is only ever done to
what was made for it.
"""


if WORLD.client.token:

    @schemathesis.auth(refresh_interval=None)
    class SignedIn:
        """The role's token, or one that may be given up."""

        def get(self, case: Any, _context: Any) -> str:
            """For this request."""
            if _name(case) != "sign_out":
                return f"Bearer {WORLD.client.token}"
            with ONE_AT_A_TIME:
                seed = SEEDS.of("sign_out", case.path)
            return seed.headers.get("Authorization", f"Bearer {WORLD.client.token}")

        def set(self, case: Any, data: str, _context: Any) -> None:
            """Send it."""
            case.headers["Authorization"] = data


ANSWERS: Counter[tuple[str, int]] = Counter()
ELSEWHERE: set[str] = set()
"""The cases that are about a seed."""
TRIED: Counter[tuple[str, str, str]] = Counter()


@cache
def chance(operation: str) -> random.Random:
    """An operation's own, so that a seed repeats its choices whatever the others do."""
    return random.Random(f"{SEED} {ROLE} {operation}")


@schemathesis.hook
def filter_case(_context: Any, case: Any) -> bool:
    """Of boundaries that are alike, such as a field's wrong types and a path's wrong methods, try
    the first, and some of the others: other roles and seeds try others. To be brief, those of
    several fields are alike, too.
    """
    if case.meta is None or case.meta.phase.name != "coverage":
        return True
    tried = case.meta.phase.data
    described = tried.scenario if BRIEF else str(tried.description).removesuffix(case.method)
    alike = (_name(case), str(tried.parameter_location), str(described))
    with ONE_AT_A_TIME:
        TRIED[alike] += 1
        return TRIED[alike] == 1 or chance(alike[0]).random() < ALIKE


@schemathesis.hook
def before_call(_context: Any, case: Any, _options: dict[str, Any]) -> None:
    """Turn what is well-formed into what is also there."""
    operation = _name(case)
    if case.meta is None or operation in CLOSED:
        return
    if not (_surely(case, operation) or chance(operation).random() < OFTEN):
        return
    with ONE_AT_A_TIME:
        seed = SEEDS.of(operation, case.path)
    if _well_formed(case, ParameterLocation.PATH) and isinstance(case.path_parameters, dict):
        case.path_parameters = {**case.path_parameters}
        _replace(case.path_parameters, seed.path)
        ELSEWHERE.add(case.id)
    if _well_formed(case, ParameterLocation.QUERY) and isinstance(case.query, dict):
        case.query = _known(case.query)
        _replace(case.query, seed.query)
    if _well_formed(case, ParameterLocation.BODY) and isinstance(case.body, dict):
        case.body = {**({} if seed.whole else _known(case.body)), **seed.body}
    if _well_formed(case, ParameterLocation.HEADER) and case.headers:
        _replace(case.headers, {"Idempotency-Key": new_key(), **seed.headers})


@schemathesis.hook
def after_call(_context: Any, case: Any, response: Any) -> None:
    """Count it, and take what it used up out of circulation."""
    if case.method.upper() != case.operation.method.upper():
        return  # It was tried which other methods there are.
    operation = _name(case)
    with ONE_AT_A_TIME:
        ANSWERS[operation, response.status_code] += 1
        if case.method.upper() != "GET" and 200 <= response.status_code < 300:
            SEEDS.used(operation)


@schemathesis.hook
def filter_failure(_context: Any, failure: Failure, case: Any, response: Any) -> bool:
    """Whether it is one: `fair.py` says what is not. What a sequence has just made is not what was
    asked for once that was replaced by a seed.
    """
    if isinstance(failure, EnsureResourceAvailability) and case.id in ELSEWHERE:
        return False
    rejected = isinstance(failure, RejectedPositiveData) and response.status_code == 422
    return not (rejected and is_fair(response.json()))


@atexit.register
def _write() -> None:
    counted = [[operation, status, times] for (operation, status), times in ANSWERS.items()]
    Path(os.environ["FUZZ_ANSWERS"]).write_text(json.dumps(counted))


def _name(case: Any) -> str:
    return str(case.operation.definition.raw.get("operationId", case.path))


def _surely(case: Any, operation: str) -> bool:
    """Examples are for succeeding."""
    return case.meta.phase.name == "examples" or operation in ONLY_OURS


def _well_formed(case: Any, location: ParameterLocation) -> bool:
    found = case.meta.components.get(location)
    return found is None or found.mode.is_positive


def _replace(part: Any, values: Mapping[str, str]) -> None:
    """Put values where a part of a request has others."""
    for name, value in values.items():
        if name in part:
            part[name] = value


def _known(value: Any) -> Any:
    """The same with places and codes that are there, wherever they stand in it. Only an importer
    may say when it happened.
    """
    if isinstance(value, list):
        return [_known(item) for item in value]
    if not isinstance(value, dict):
        return value
    known = {**KNOWN, "occurred_at": clock.iso(clock.now())}
    return {
        name: known[name] if name in known and item is not None else _known(item)
        for name, item in value.items()
        if name != "occurred_at" or ROLE == "machine"
    }
