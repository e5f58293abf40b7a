from sqlalchemy import MetaData

from chassis.migrate import run_migrations

run_migrations(MetaData())
