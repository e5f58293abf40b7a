"""What docs/nameko.md says holds: each mend has its tests, and what must not be used is not."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PAGE = Path("docs/nameko.md")
ROWS = [line.strip("| \n").split(" | ") for line in PAGE.read_text("utf-8").splitlines()]
PITFALLS = [row for row in ROWS if len(row) == 4 and row[0].isdigit()]
FURTHER = [row for row in ROWS if len(row) == 3 and "`test_" in row[2]]
SOURCES = [path for folder in ("chassis", "services") for path in Path(folder).rglob("*.py")]
ALLOWED = {"nameko.containers", "nameko.exceptions", "nameko.extensions", "nameko.timer"}
"""Not its messaging, RPC, web server, command or configuration."""


def test_every_pitfall_has_its_row() -> None:
    assert [int(row[0]) for row in PITFALLS] == list(range(1, 22))


@pytest.mark.parametrize("row", PITFALLS + FURTHER, ids=lambda row: row[0][:30])
def test_the_tests_that_a_row_names_exist(row: list[str]) -> None:
    named = re.findall(r"`(test_\w+)`", row[-1])

    assert named
    assert set(named) - _tests() == set()


@pytest.mark.parametrize("row", PITFALLS + FURTHER, ids=lambda row: row[0][:30])
def test_the_files_that_a_row_names_exist(row: list[str]) -> None:
    named = re.findall(r"`((?:chassis|services)/[\w/]+\.py)`", row[-2])

    assert [name for name in named if not Path(name).exists()] == []


def test_nothing_of_namekos_messaging_is_used() -> None:
    """Its publishers share one dict of options, which each publish changes."""
    used = {module for path in SOURCES for module in _imports(path, "nameko")}

    assert used <= ALLOWED


def test_no_dependency_acts_on_a_workers_result() -> None:
    """The message has been acknowledged by then."""
    found = {
        (path.as_posix(), node.name)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name in ("worker_result", "worker_teardown")
    }

    assert found == set()


def test_only_entrypoints_and_dependencies_know_nameko() -> None:
    """So that the way out stays open: rules, commands and queries would go along unchanged."""
    bound = {path for path in SOURCES if list(_imports(path, "nameko"))}
    pure = {"commands", "queries", "models", "schemas", "events", "lifecycle", "settings"}

    assert {
        path.as_posix() for path in bound if path.parts[0] == "services" and path.stem in pure
    } == set()


def _tests() -> set[str]:
    found: set[str] = set()
    for path in Path("tests").rglob("test_*.py"):
        found.update(re.findall(r"^def (test_\w+)\(", path.read_text("utf-8"), re.MULTILINE))
    return found


def _imports(path: Path, package: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        yield from (name for name in names if name.split(".")[0] == package)
