"""What is the database's fault, and how many may use it at once."""

from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from chassis.database import is_infrastructure, make_engine
from chassis.settings import ServiceSettings


class _FromPostgres(Exception):
    def __init__(self, pgcode: str) -> None:
        self.pgcode = pgcode


@pytest.mark.parametrize(
    ("error", "at_fault"),
    [
        (OperationalError("", {}, _FromPostgres("57P03")), True),  # starting up
        (PoolTimeout(), True),
        (DBAPIError("", {}, _FromPostgres("25006")), True),  # a primary that became a replica
        (DBAPIError("", {}, _FromPostgres("57P01"), connection_invalidated=True), True),
        (IntegrityError("", {}, _FromPostgres("23505")), False),
        (DBAPIError("", {}, _FromPostgres("22P02")), False),  # a malformed value
        (KeyError(), False),
    ],
)
def test_only_what_is_not_the_requests_fault_is_the_databases(
    error: BaseException, at_fault: bool
) -> None:
    assert is_infrastructure(error) is at_fault


def test_the_pool_has_a_connection_for_every_worker() -> None:
    """And for whoever works beside them (waking the relay, keeping the inbox short, two checks of
    health): none of them waits for another.
    """
    environ: dict[str, Any] = {
        "LINLI_AMQP_URI": "amqp://somebody@somewhere",
        "LINLI_DATABASE_URL_ECHO": "postgresql+psycopg2://somebody@somewhere/echo",
        "LINLI_WORKERS_ECHO": "7",
    }
    engine = make_engine(ServiceSettings.load("echo", environ))

    assert engine.pool.size() == 11  # type: ignore[attr-defined]
