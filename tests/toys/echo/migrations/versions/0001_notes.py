"""Notes, and what became of them."""

from alembic import op

from chassis.migrate import create_inbox, create_outbox

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_outbox()
    create_inbox()
    op.execute("CREATE TABLE notes (subject text, number int)")
    op.execute("CREATE TABLE effects (subject text, number int)")
