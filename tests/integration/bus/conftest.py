"""A virtual host of its own for the bus, planned and declared, and clients that use it."""

import secrets
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from deploy import permissions, topology
from deploy.broker import Broker
from deploy.topology import Plan, Service
from tests.integration.bus.wire import AREA_ADDED, AREA_RENAMED, CONSUMER, channel_of


@pytest.fixture(scope="session")
def new_broker(rabbitmq: Any) -> Callable[[], Broker]:
    """Makes a virtual host that does not exist yet."""

    def make() -> Broker:
        vhost = f"bus-{secrets.token_hex(4)}"
        uri = urlunsplit(urlsplit(rabbitmq.amqp_uri)._replace(path=f"/{vhost}"))
        return Broker(uri, rabbitmq.management_url)

    return make


@pytest.fixture(scope="session")
def plan() -> Plan:
    """Two services: one consumes areas and emits, one follows the log."""
    tickets = Service("tickets", ((CONSUMER, (AREA_ADDED, AREA_RENAMED)),), emits=True)
    services = (tickets, Service("gateway"))
    users = {
        "LINLI_AMQP_URI_TICKETS": f"amqp://tickets-{secrets.token_hex(4)}:one@host/v",
        "LINLI_AMQP_URI_GATEWAY": f"amqp://gateway-{secrets.token_hex(4)}:two@host/v",
        "LINLI_AMQP_URI_OBSERVER": f"amqp://observer-{secrets.token_hex(4)}:three@host/v",
    }
    return Plan(services, topology.accounts(services, users))


@pytest.fixture(scope="session")
def broker(new_broker: Callable[[], Broker], plan: Plan) -> Broker:
    """The declared virtual host that the tests of a run share."""
    made = new_broker()
    topology.apply(made, plan)
    return made


@pytest.fixture
def code() -> str:
    """A department's code that no other test uses."""
    return f"water_{secrets.token_hex(3)}"


@pytest.fixture
def granted(broker: Broker) -> Iterator[Callable[[str], str]]:
    """Grants departments, and takes them away afterwards."""
    codes = []

    def grant(code: str) -> str:
        uri = permissions.grant(broker, code)
        assert uri is not None
        codes.append(code)
        return uri

    yield grant
    for each in codes:
        permissions.revoke(broker, each, delete_queues=True)


@pytest.fixture
def channel(broker: Broker) -> Iterator[Any]:
    """The administrator's."""
    with channel_of(broker.amqp_uri) as opened:
        yield opened


@pytest.fixture
def emptied(channel: Any) -> None:
    """The consumer's queues of the shared virtual host hold nothing that another test left."""
    for queue in (CONSUMER, f"{CONSUMER}.dead"):
        channel.queue_purge(queue)
