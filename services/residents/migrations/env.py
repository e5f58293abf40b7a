"""Where Alembic finds the schema of residents."""

from chassis.migrate import run_migrations
from services.residents.models import Base

run_migrations(Base.metadata)
