"""Alembic's environment for the gateway's database."""

from chassis.migrate import run_migrations
from services.gateway.models import Base

run_migrations(Base.metadata)
