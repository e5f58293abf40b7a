"""No personal value is read without an entry in the audit: every way round it is found here."""

import ast
from pathlib import Path

import pytest

RESIDENTS = Path("services/residents")
MODULES = sorted(path for path in RESIDENTS.rglob("*.py") if "migrations" not in path.parts)

# For each name that leads to a value in the clear, the modules that may say it, and why.
WAYS = {
    # Opens a data key: whoever asks the audit for one leaves an entry.
    "open_key": {"vault.py", "sealing.py"},
    "key_of": {"sealing.py", "audit.py"},
    "key_of_household": {"sealing.py", "audit.py"},
    # Makes one, for a person who is new; the audit is told by name.
    "new_key": {"vault.py", "commands/people.py", "commands/households.py"},
    "DataKey": {
        "vault.py",
        "sealing.py",
        "audit.py",
        "answers.py",
        "commands/people.py",
        "commands/households.py",
        "household_queries.py",  # it is given one that the audit opened
    },
    # Opens a file that is being imported, whose rows pass through commands.
    "open_file_key": {"vault.py", "imports/files.py"},
    "FileKey": {"vault.py", "imports/files.py"},
    # The text itself, to be sealed, indexed or answered.
    "reveal": {"personal.py", "vault.py", "sealing.py", "answers.py"},
    # Only the audit writes entries.
    "AuditEntry": {"personal_models.py", "audit.py", "audit_trail.py"},
    "AuditPerson": {"personal_models.py", "audit.py", "audit_trail.py"},
}


def said(source: str) -> set[str]:
    """Every name that a module imports, calls, reads or looks up as a text."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Name | ast.alias):
            found.add(getattr(node, "id", None) or getattr(node, "name", ""))
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found


@pytest.mark.parametrize("name", WAYS)
def test_what_leads_to_personal_data_is_said_where_it_may_be_and_nowhere_else(name):
    sayers = {
        path.relative_to(RESIDENTS).as_posix()
        for path in MODULES
        if name in said(path.read_text("utf-8"))
    }

    assert sayers == WAYS[name]


@pytest.mark.parametrize(
    "way",
    [
        "def f(vault):\n    return vault.open_key(1, 2)",
        "from services.residents.sealing import key_of as k",
        "opener = getattr(vault, 'open_key')",
        "text = value.reveal()",
    ],
)
def test_a_way_round_is_found(way):
    assert said(way) & {"open_key", "key_of", "reveal"}


@pytest.mark.parametrize("module", ["people", "households"])
def test_whoever_makes_a_data_key_notes_it(module):
    tree = ast.parse((RESIDENTS / f"commands/{module}.py").read_text("utf-8"))
    makers = [
        {*said(ast.unparse(node))}
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and "new_key" in said(ast.unparse(node))
    ]

    assert makers
    assert all({"audit", "note"} <= names for names in makers)


def test_every_query_and_command_that_may_use_personal_data_runs_in_a_transaction_that_is_kept():
    """`Database.read` keeps nothing: neither would it keep the entry."""
    surface = [RESIDENTS / "service.py", *(RESIDENTS / "entrypoints").glob("[a-z]*.py")]
    methods = {
        node.name: ast.unparse(node)
        for path in surface
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    unaudited = {name for name, text in methods.items() if "self.db.read()" in text}

    assert methods
    assert not {name for name in unaudited if "self.vault" in methods[name]}
