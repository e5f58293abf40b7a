"""Who may import whom, and whose words are spoken where."""

import ast
import io
import keyword
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

CHASSIS = sorted(Path("chassis").rglob("*.py"))
# The words of the domain. Those that are words of computing, too, are left out: request, task,
# schedule, claim.
DOMAIN = {
    *("resident", "household", "neighbour", "neighbourhood", "volunteer", "skill", "plot"),
    *("area", "district", "community", "estate", "grid", "building", "unit"),
    *("duty", "secretary", "clerk", "chief", "mediator", "department"),
    *("ticket", "assignee", "assignment", "complaint", "dispute", "proposal", "wish"),
    *("campaign", "meeting"),
}
FRAMEWORKS = {"nameko", "eventlet", "kombu", "amqp"}
# What is not domain, each with its reason.
MACHINERY = {
    "services/gateway/follower.py": "reads the log stream in the background",
    "services/gateway/gate.py": "an extension: nameko puts it into entrypoints",
    "services/gateway/hub.py": "an extension, and the wait for events behind every stream",
    "services/gateway/indexer.py": "writes the feed in the background",
    "services/gateway/ledger.py": "packs spreadsheets in threads, for the same reason as passwords",
    "services/gateway/passwords.py": "hashes in threads, or nobody else would be served meanwhile",
    "services/gateway/rights.py": "asks for the rights of all streams in the background",
    "services/gateway/service.py": "extensions of nameko's stand beside the entrypoints",
    "services/notifications/codes.py": "a time limit for the provider",
    "services/notifications/courier.py": "several messages at a time, each with a time limit",
    "services/notifications/outside.py": "an extension: nameko puts it into entrypoints",
    "services/notifications/rounds.py": "an entrypoint: what is done by the clock",
    "services/notifications/webhooks/sender.py": "many requests at a time, in a process of its own",
    "services/notifications/webhooks/sending.py": "a time limit for each receiver",
    "services/residents/service.py": "nameko's timer stands beside the entrypoints",
    "services/tickets/service.py": "nameko's timer stands beside the entrypoints",
    "services/notifications/service.py": "a timer of nameko's stands beside the entrypoints",
    "services/residents/dependencies.py": "an extension: nameko puts it into entrypoints",
}
DOMAIN_MODULES = sorted(
    path for path in Path("services").rglob("*.py") if str(path) not in MACHINERY
)


def words(name):
    """`TicketFiled`, `ticket_filed` and `TICKETS` speak of tickets."""
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
    return {word for part in parts for word in (part.lower(), part.lower().removesuffix("s"))}


def names(path):
    """Every identifier of a module, with its line."""
    for token in tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline):
        if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
            yield token.start[0], token.string


def imported(path):
    """The top-level packages that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def test_the_import_contracts_hold():
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-cache"], capture_output=True, text=True, check=False, timeout=120
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", CHASSIS, ids=str)
def test_the_chassis_knows_no_word_of_the_domain(path):
    found = [f"{path}:{line} {name}" for line, name in names(path) if words(name) & DOMAIN]

    assert found == []


@pytest.mark.parametrize("path", DOMAIN_MODULES, ids=str)
def test_a_domain_module_imports_no_framework_of_the_bus(path):
    assert set(imported(path)) & FRAMEWORKS == set()


def test_every_exception_is_still_needed():
    assert [path for path in MACHINERY if not set(imported(Path(path))) & FRAMEWORKS] == []
