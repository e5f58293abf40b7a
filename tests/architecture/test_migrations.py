"""The migrations of a service are one line: nobody's comes beside another's."""

from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

SERVICES = ("residents", "tickets", "notifications", "gateway")


@pytest.mark.parametrize("service", SERVICES)
def test_migrations_have_one_head_and_are_numbered_in_their_order(service):
    config = Config()
    folder = Path("services") / service / "migrations"
    config.set_main_option("script_location", folder.as_posix())
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)

    numbers = [path.name.partition("_")[0] for path in sorted((folder / "versions").glob("0*.py"))]

    assert len(scripts.get_heads()) == 1
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
    assert [script.revision for script in scripts.walk_revisions()] == numbers[::-1]
