"""The service is stopped as a deployment does it, while webhooks are on their way."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine

from chassis.clock import now
from chassis.testing import eventually
from chassis.testing.processes import ServiceProcess
from tests.integration.notifications.receiver import Receiver
from tests.integration.notifications.webhook_world import Watched, World

SERVICE = "services.notifications.service:NotificationsService"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def engine(service_environ: dict[str, str]) -> Iterator[Engine]:
    engine = create_engine(service_environ["LINLI_DATABASE_URL_NOTIFICATIONS"], pool_pre_ping=True)
    yield engine
    engine.dispose()


@pytest.fixture
def world(engine: Engine, service_environ: dict[str, str]) -> World:
    return World(engine, {**service_environ, "LINLI_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"})


def service(world: World, **environ: str) -> ServiceProcess:
    return ServiceProcess(SERVICE, {**world.environ, **environ})


def under_way(world: World, receiver: Receiver, path: str, **wanted: object) -> Watched:
    """An endpoint whose receiver has begun to hear something."""
    endpoint = world.endpoint(receiver.url(path), **wanted)
    world.filed()
    eventually(lambda: receiver.of(path))
    return endpoint


def test_what_takes_longer_than_a_second_is_finished_and_recorded(world, receiver):
    receiver.url("/slow", wait=3)
    with service(world) as process:
        endpoint = under_way(world, receiver, "/slow")

        assert process.stop() == 0

    assert endpoint.reasons == ["delivered"]


def test_what_outlasts_the_grace_period_is_given_back_and_sent_again_without_a_loss(
    world, receiver
):
    receiver.url("/slower", wait=9)
    with service(world, LINLI_GRACE_SECONDS="3") as process:
        endpoint = under_way(world, receiver, "/slower")

        assert process.stop() == 0

        (delivery,) = endpoint.deliveries
        assert (delivery.state, delivery.claimed_at, delivery.losses) == ("queued", None, 0)
        assert delivery.next_attempt_at <= now()
        receiver.url("/slower", status=204)
        process.start()
        eventually(lambda: endpoint.states == ["delivered"])

    assert endpoint.reasons == ["delivered"]
    ids = [heard.headers["webhook-id"] for heard in receiver.of("/slower")]
    assert ids == [str(delivery.event)] * 2


def test_a_handshake_that_outlasts_the_grace_period_is_asked_again_at_once(world, receiver):
    receiver.url("/consents", wait=9)
    with service(world, LINLI_GRACE_SECONDS="3") as process:
        endpoint = under_way(world, receiver, "/consents", handshake=True)

        assert process.stop() == 0

        assert endpoint.row.handshake_at <= now()
        allowed = {"WebHook-Allowed-Origin": "*"}
        receiver.url("/consents", status=200, headers=allowed)
        process.start()
        eventually(lambda: endpoint.row.state == "active")
