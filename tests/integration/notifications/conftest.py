"""A database with the schema of its migrations, and the stand-in for the provider on real HTTP."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, update
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from chassis import migrate
from deploy.local import sms_standin
from services.notifications.models import Delivery
from services.notifications.outcome import Schedules
from services.notifications.providers import HttpSms
from services.notifications.schedule import Schedule
from services.notifications.staleness import Limits
from tests.integration.notifications.world import TOKEN, Standin


@pytest.fixture(scope="session")
def notifications_database(postgres: Any) -> dict[str, str]:
    """The URLs of owner and application of a migrated database."""
    urls = postgres.create_service_database("notifications")
    user = make_url(urls["app_url"]).username
    migrate.upgrade("services.notifications", urls["owner_url"], user)
    return urls


@pytest.fixture(scope="session")
def engine(notifications_database: dict[str, str]) -> Iterator[Engine]:
    """Connections as the application's user."""
    engine = create_engine(notifications_database["app_url"], pool_pre_ping=True)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session that the test may commit. What other tests left in the queue is out of the way."""
    with Session(engine, expire_on_commit=False) as session:
        session.execute(
            update(Delivery)
            .where(Delivery.state == "queued")
            .values(state="skipped", next_attempt_at=None)
        )
        session.commit()
        yield session


@pytest.fixture(scope="session")
def standin() -> Iterator[Standin]:
    """The stand-in for the SMS provider, serving."""
    server = sms_standin.serve(0, TOKEN)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    standin = Standin(f"http://127.0.0.1:{server.server_port}")
    yield standin
    standin.close()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def provider(standin: Standin) -> Iterator[HttpSms]:
    """Our provider, speaking to a stand-in that behaves."""
    standin.behave()
    provider = HttpSms(f"{standin.url}/messages", TOKEN, timeout=0.5)
    yield provider
    provider.close()
    standin.behave()


@pytest.fixture
def schedules() -> Schedules:
    """Schedules that are easily told apart."""
    return Schedules(
        provider=Schedule((5.0, 30.0)),
        waiting=Schedule((2.0, 60.0), endless=True),
        lost=Schedule((1.0,) * 3),
    )


@pytest.fixture
def limits() -> Limits:
    """A minute, and three days."""
    return Limits(fresh_for=timedelta(minutes=1), expires_after=timedelta(days=3))
