"""The running system, for tests that speak HTTP, and the gateway's database, for those that look
behind.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from chassis.testing.processes import ServiceProcess
from chassis.testing.sessions import rolled_back
from deploy.local import sms_standin
from tests.integration.gateway.town import SERVICES, SMS_TOKEN, Town, environment


@pytest.fixture(scope="session")
def sms_url() -> Iterator[str]:
    """A stand-in for the SMS provider, serving."""
    server = sms_standin.serve(0, SMS_TOKEN)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def town(rabbitmq: Any, postgres: Any, free_port: Any, sms_url: str) -> Iterator[Town]:
    """The system with its people."""
    port = free_port()
    environ = environment(rabbitmq, postgres, port, f"{sms_url}/messages")
    with ExitStack() as running:
        processes = {
            name: running.enter_context(ServiceProcess(path, environ))
            for name, path in SERVICES.items()
        }
        town = Town(f"http://127.0.0.1:{port}", environ, processes, sms_url)
        running.callback(town.close)
        try:
            town.found()
        except BaseException:
            for name, process in processes.items():
                sys.stdout.write(f"--- {name}\n{process.log[-6000:]}")
            raise
        yield town


@pytest.fixture(scope="session")
def engine(town: Town) -> Iterator[Engine]:
    """Connections to the gateway's database as the application's user."""
    # Another test restarts the server.
    engine = create_engine(town.environ["LINLI_DATABASE_URL_GATEWAY"], pool_pre_ping=True)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session whose work is rolled back."""
    with rolled_back(engine) as session:
        yield session


@pytest.fixture(scope="session")
def waters_key(town: Town) -> Any:
    """A program of the water company."""
    return town.key({"department": "water"}, "tickets:read", "tickets:write")
