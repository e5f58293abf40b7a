"""The README's story is the code's."""

import re
from pathlib import Path

from services.tickets import service
from services.tickets.lifecycle import TRANSITIONS, State

README = Path(service.__file__).with_name("README.md").read_text(encoding="utf-8")
SOURCE = Path(service.__file__).read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a header row that begins so."""
    table = README.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.split("\n")[2:]]


def test_its_table_of_moves_is_the_table_of_transitions() -> None:
    told = {
        (State(source), move.strip("`")): State(target)
        for move, sources, target in rows("move")
        for source in sources.split(", ")
    }

    assert told == dict(TRANSITIONS)


def test_its_table_of_methods_is_the_surface_of_the_service() -> None:
    told = {method for row in rows("method") for method in re.findall(r"`(\w+)`", row[0])}

    assert told == set(re.findall(r"@rpc\n    def (\w+)", SOURCE))
