"""Alembic's entry: the models of this service, run by the chassis."""

from chassis.migrate import run_migrations
from services.tickets import fact_models  # noqa: F401 - tables of Base as well
from services.tickets.models import Base

run_migrations(Base.metadata)
