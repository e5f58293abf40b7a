"""Alembic's entry: the models of this service, run by the chassis."""

from chassis.migrate import run_migrations
from services.notifications.models import Base

run_migrations(Base.metadata)
