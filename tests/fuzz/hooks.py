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
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.core.parameters import ParameterLocation
from schemathesis.openapi.checks import RejectedPositiveData

from tests.fuzz.fair import is_fair
from tests.fuzz.seeds import Seed, Seeds
from tests.stack.clients import BUILDING, Community, new_key

ROLE = os.environ["FUZZ_ROLE"]
CHANCE = random.Random(f"{os.environ['FUZZ_SEED']} {ROLE}")
SEEDS = Seeds(Community(json.loads(os.environ["FUZZ_READY"])), ROLE, os.environ.get("FUZZ_TOKEN"))
OFTEN = 0.75
KNOWN: dict[str, Any] = {
    "area": BUILDING,
    "within": BUILDING,
    "near": BUILDING,
    "department": "water",
    "category": "water.burst_pipe",
}
"""Places and codes that are there, by the names of the fields that want one."""
NEVER_OUR_OWN = frozenset({"sign_out", "end_session", "revoke_api_key"})
"""What would end the session or key that everything else is asked with."""


if SEEDS.client.token:

    @schemathesis.auth(refresh_interval=None)
    class SignedIn:
        """The role's token, or one that may be given up."""

        def get(self, case: Any, _context: Any) -> str:
            """For this request."""
            seed = SEEDS.of(_name(case), case.path) if _name(case) == "sign_out" else Seed()
            return seed.headers.get("Authorization", f"Bearer {SEEDS.client.token}")

        def set(self, case: Any, data: str, _context: Any) -> None:
            """Send it."""
            case.headers["Authorization"] = data


ANSWERS: Counter[tuple[str, int]] = Counter()


@schemathesis.hook
def before_call(_context: Any, case: Any, _options: dict[str, Any]) -> None:
    """Turn what is well-formed into what is also there."""
    operation = _name(case)
    if case.meta is None or not (_surely(case, operation) or CHANCE.random() < OFTEN):
        return
    seed = SEEDS.of(operation, case.path)
    if case.path_parameters and seed.path and _well_formed(case, ParameterLocation.PATH):
        known = {name: seed.path[name] for name in case.path_parameters if name in seed.path}
        case.path_parameters = {**case.path_parameters, **known}
    if _well_formed(case, ParameterLocation.QUERY) and isinstance(case.query, dict):
        case.query = _known(case.query)
    if _well_formed(case, ParameterLocation.BODY) and isinstance(case.body, dict):
        case.body = {**({} if seed.whole else _known(case.body)), **seed.body}
    if _well_formed(case, ParameterLocation.HEADER):
        for name, value in {"Idempotency-Key": new_key(), **seed.headers}.items():
            if name in case.headers:
                case.headers[name] = value


@schemathesis.hook
def after_call(_context: Any, case: Any, response: Any) -> None:
    """Count it, and take what it used up out of circulation."""
    operation = _name(case)
    ANSWERS[operation, response.status_code] += 1
    if case.method.upper() != "GET" and 200 <= response.status_code < 300:
        SEEDS.used(operation)


@schemathesis.hook
def filter_failure(_context: Any, failure: Failure, _case: Any, response: Any) -> bool:
    """Whether it is one: `fair.py` says what is not."""
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
    return case.meta.phase.name == "examples" or operation in NEVER_OUR_OWN


def _well_formed(case: Any, location: ParameterLocation) -> bool:
    found = case.meta.components.get(location)
    return found is None or found.mode.is_positive


def _known(value: Any) -> Any:
    """The same with places and codes that are there, wherever they stand in it."""
    if isinstance(value, list):
        return [_known(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: KNOWN[name] if name in KNOWN and item is not None else _known(item)
        for name, item in value.items()
    }
