"""Functions and files stay small enough to be read at a glance."""

import ast
from pathlib import Path

import pytest

LONGEST_FUNCTION, LONGEST_FILE = 30, 300  # lines, signature and docstring included
FOLDERS = ("chassis", "services", "deploy", "bench")
FILES = sorted(path for folder in FOLDERS for path in Path(folder).rglob("*.py"))
# Each with its reason.
LONG_FUNCTIONS = {
    "chassis/events.py:emit": "the whole envelope in one place, attribute by attribute",
    "services/gateway/operation.py:operation": "its docstring says what each argument means",
    "services/tickets/record.py:note": "a history row beside its event, column by column",
}


def functions(path):
    """Name and number of lines of each function of a module. Migrations are no functions: they list
    tables and are never changed again.
    """
    if "migrations" in path.parts:
        return
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{path}:{node.name}", node.end_lineno - node.lineno + 1


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_module_is_short_and_so_are_its_functions(path):
    lines = len(path.read_text("utf-8").splitlines())
    long = {name: size for name, size in functions(path) if size > LONGEST_FUNCTION}

    assert {name: size for name, size in long.items() if name not in LONG_FUNCTIONS} == {}
    assert lines <= LONGEST_FILE, f"{lines} lines"


def test_every_exception_is_still_needed():
    sizes = dict(found for path in FILES for found in functions(path))

    assert [name for name in LONG_FUNCTIONS if sizes.get(name, 0) <= LONGEST_FUNCTION] == []
