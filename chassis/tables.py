"""How all tables name their constraints, so that migrations can speak of them."""

from sqlalchemy import MetaData


def metadata() -> MetaData:
    """A collection of tables for the declarative base of a service."""
    return MetaData(
        naming_convention={
            "ix": "%(table_name)s_%(column_0_N_name)s",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ck": "%(table_name)s_%(constraint_name)s_check",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "pk": "%(table_name)s_pkey",
        }
    )
