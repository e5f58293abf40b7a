"""Alembic's entry: the models of this service, run by the chassis."""

from chassis.migrate import run_migrations
from services.notifications.models import Base
from services.notifications.webhooks import models as _webhooks  # noqa: F401 - their tables

run_migrations(Base.metadata)
