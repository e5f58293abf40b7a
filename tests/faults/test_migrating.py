"""Old and new code side by side while a database is migrated, as docs/howto/change-the-schema.md
says it is done: no request fails.

The new code is a copy of ours that knows one more column of tickets, and writes it.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from chassis import migrate
from deploy.local import places
from deploy.local.postgres import connect

pytestmark = pytest.mark.timeout(400)
MODEL = "services/tickets/models.py"
KNOWN = '    __tablename__ = "tickets"\n'
EXPAND = (
    "op.add_column('tickets', sa.Column('desk', sa.Text))",
    "migrate.add_index('tickets_desk', 'tickets', ['desk'])",
)
KNOWN_DESK = "ALTER TABLE tickets ADD CONSTRAINT desk_known CHECK (desk IS NOT NULL)"
CONTRACT = (
    "migrate.backfill('tickets', \"desk = 'old'\", 'desk IS NULL', batch=20)",
    f"op.execute('{KNOWN_DESK} NOT VALID')",
    "op.execute('ALTER TABLE tickets VALIDATE CONSTRAINT desk_known')",
)


@dataclass
class Release:
    """A copy of the code in a folder, with its migrations."""

    folder: Path

    @classmethod
    def after(cls, before, folder, *steps):
        """What was before, and a migration for each step."""
        for name in ("chassis", "services", "deploy"):
            shutil.copytree(before / name, folder / name)
        release = cls(folder)
        for step in steps:
            release.add(step)
        return release

    @property
    def _migrations(self):
        return self.folder / "services/tickets/migrations/versions"

    def add(self, step):
        last = max(path.name for path in self._migrations.glob("0*.py"))[:4]
        number = f"{int(last) + 1:04}"
        lines = [
            *("import sqlalchemy as sa", "from alembic import op", "from chassis import migrate"),
            *(f'revision = "{number}"', f'down_revision = "{last}"', "def upgrade():"),
            f"    {step}\n",
        ]
        (self._migrations / f"{number}_drill.py").write_text("\n".join(lines))

    @property
    def variables(self):
        """With which a process runs this code and not what lies where it is started."""
        return {"PYTHONPATH": str(self.folder), "PYTHONSAFEPATH": "1"}


@pytest.fixture
def new(tmp_path):
    """The release that knows the column, which may be empty."""
    release = Release.after(places.ROOT, tmp_path / "new", *EXPAND)
    model = release.folder / MODEL
    text = model.read_text(encoding="utf-8")
    assert KNOWN in text
    line = "    desk: Mapped[str | None] = mapped_column(default='new')\n"
    model.write_text(text.replace(KNOWN, f"{KNOWN}\n{line}"), encoding="utf-8")
    return release


@pytest.fixture
def newest(new, tmp_path):
    """The one after it, to which the column is never empty."""
    return Release.after(new.folder, tmp_path / "newest", *CONTRACT)


@pytest.fixture
def pair(drill):
    """Two processes of tickets; at the end there is our code and our schema again."""
    stack = drill.stack
    pair = ("tickets", stack.add_replica("tickets"))
    stack.wait_ready(*pair)
    yield pair
    stack.stop(pair[1])
    stack.stop("tickets")
    owner = connect(stack.environment["LINLI_DATABASE_OWNER_URL_TICKETS"])
    owner.cursor().execute("ALTER TABLE tickets DROP COLUMN IF EXISTS desk")
    (ours,) = migrate.heads("services.tickets")
    owner.cursor().execute("UPDATE alembic_version SET version_num = %s", (ours,))
    owner.commit()
    owner.close()
    stack.start("tickets")
    stack.wait_ready()


def test_old_and_new_code_run_side_by_side_through_a_migration(drill, pair, new, newest):
    stack = drill.stack
    with drill.load():
        for release in (new, newest):
            drill.wait_for(answers=10)
            stack.migrate("tickets", **release.variables)
            drill.wait_for(answers=10)
            # Old code finds more than it knows, and nothing that it lacks.
            assert all(map(stack.is_ready, pair))
            for name in pair:
                stack.stop(name)
                stack.start(name, **release.variables)
                stack.wait_ready(name)
                drill.wait_for(answers=10)

    drill.verify()
    assert {attempt.status for attempt in drill.ledger.attempts()} <= {200, 201}
    desks = stack.rows("tickets", "SELECT desk, count(*) FROM tickets GROUP BY desk ORDER BY desk")
    assert [row["desk"] for row in desks] == ["new", "old"]
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'tickets_desk'::regclass"
    assert stack.value("tickets", valid)
