"""Walls: row-level security as a second guard behind each query's own conditions.

What a transaction may see is told to PostgreSQL in settings that end with it, `linli.<name>`; the
policies of tables compare their rows with them. Where nothing is told, nothing is seen.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from alembic import op
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from chassis.call import Call

Settings = Mapping[str, str]
# A service's own: what its callers may see, by name; several values of one are told with commas.
# `command` is told to transactions that may change something, not to those that only read.
Wall = Callable[[Call], Settings]

EVERYTHING: Settings = {"everything": "yes"}

# One statement however many settings there are.
_TELL = text("SELECT set_config('linli.' || key, value, true) FROM json_each_text(:settings)")
_OPEN = text(
    "SELECT current_setting('linli.everything', true), set_config('linli.everything', 'yes', true)"
)


def options(settings: Settings) -> str:
    """What libpq is given as `options` where all transactions of an engine see the same."""
    return " ".join(f"-c linli.{name}={value}" for name, value in settings.items())


class WalledSession(Session):
    """A session that tells each of its transactions what it may see: `info["wall"]`."""


@event.listens_for(WalledSession, "after_begin")
def _tell(session: Session, transaction: Any, connection: Any) -> None:
    if not transaction.nested:
        connection.execute(_TELL, {"settings": json.dumps(session.info["wall"])})


def tell(session: Session, settings: Settings) -> None:
    """Let the rest of the transaction see this, beside what it sees already."""
    session.execute(_TELL, {"settings": json.dumps(settings)})


@contextmanager
def opened(session: Session) -> Iterator[None]:
    """See everything in this block, which says why it must. A read inside of it goes by its own
    conditions alone; what is changed in it is written in it.
    """
    before = session.scalar(_OPEN)
    yield
    session.flush()
    tell(session, {"everything": before or ""})


# The planner must see what they give as constants: an expression that it cannot work out beforehand
# would keep every operator that is not leakproof (`@>`, `@@`, LIKE) from its index, also where the
# transaction may see everything. Hence IMMUTABLE, which holds for one execution of one plan: a plan
# that is kept would keep its first caller's view, so statements must not be prepared. psycopg2
# prepares none; a test of each service looks whether that still holds.
_FUNCTIONS = """
CREATE FUNCTION wall(name text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN coalesce(string_to_array(current_setting('linli.' || name, true), ','), '{}');
END $$;
CREATE FUNCTION wall_ids(name text) RETURNS uuid[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN wall(name)::uuid[];
END $$;
"""


def create_functions() -> None:
    """Create what conditions are made of, `wall(name)` and `wall_ids(name)`: the values that a
    transaction was told, as texts and as UUIDs. For the migration that puts up the first wall.
    """
    op.execute(_FUNCTIONS)


def put_up(table: str, condition: str, written: str = "true") -> None:
    """Let the application see, change and delete only the rows of `table` for which the SQL
    `condition` holds, or all where everything may be seen. Rows that it adds, or has changed, are
    for its own rules, unless the condition `written` is given for them too.
    """
    everything = "'yes' = ANY (wall('everything')) OR"
    seen, check = f"{everything} {condition}", f"{everything} {written}"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY seen ON {table} FOR SELECT USING ({seen})")
    op.execute(f"CREATE POLICY added ON {table} FOR INSERT WITH CHECK ({check})")
    op.execute(f"CREATE POLICY changed ON {table} FOR UPDATE USING ({seen}) WITH CHECK ({check})")
    op.execute(f"CREATE POLICY deleted ON {table} FOR DELETE USING ({seen})")
