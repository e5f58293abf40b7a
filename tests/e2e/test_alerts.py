"""A real Prometheus looks at a real system and says what has gone, once, until it is back."""

from collections.abc import Iterator

import pytest

from chassis.testing import eventually
from tests.stack.clients import Client, filing
from tests.stack.stack import Stack
from tests.stack.watching import Watch


@pytest.fixture(scope="module")
def watch(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    """Both programs, who have seen every process at least once."""
    with Watch(stack, tmp_path_factory.mktemp("watch")) as watch:
        eventually(lambda: len(watch.asked("up == 1")) == 6, within=60)
        yield watch


@pytest.fixture(scope="module")
def resident(stack: Stack) -> Iterator[Client]:
    """Somebody who signed in while all was well."""
    people = stack.community
    yield people.resident()
    people.close()


def fails_for_people(watch: Watch, resident: Client) -> bool:
    """Whether so much that they ask has failed that this is an alert of its own."""
    resident.post("tickets", filing())
    return "ErrorBudgetBurning" in watch.firing()


def test_every_process_is_a_job_of_its_service_s_name(watch: Watch) -> None:
    jobs = {labels["job"] for labels, _ in watch.asked("up == 1")}

    assert jobs == {
        *("residents", "tickets", "notifications", "gateway", "rabbitmq", "rabbitmq-queues")
    }


def test_what_rules_ask_of_the_broker_it_tells(watch: Watch) -> None:
    asked = (
        "rabbitmq_process_resident_memory_bytes",
        "rabbitmq_resident_memory_limit_bytes",
        'rabbitmq_detailed_queue_messages{queue="water.events"}',
    )

    assert all(eventually(lambda query=query: watch.asked(query)) for query in asked)


@pytest.mark.timeout(420)
@pytest.mark.parametrize(
    ("server", "alert"), [("rabbitmq", "BrokerAway"), ("postgres", "DatabaseAway")]
)
def test_a_server_that_is_away_is_told_as_such_and_nothing_else_is(
    stack: Stack, watch: Watch, resident: Client, server: str, alert: str
) -> None:
    usual = watch.told() | {"ErrorBudgetBurning"}
    assert alert not in usual
    away = getattr(stack, server)
    away.kill()
    try:
        eventually(lambda: fails_for_people(watch, resident), within=90)
        eventually(lambda: alert in watch.told(), within=60)
        eventually(lambda: "ErrorBudgetBurning" in watch.kept_back(), within=60)

        assert watch.told() - usual == {alert}
        assert "ErrorBudgetBurning" not in watch.told()
        # What would only say the same again does not even fire.
        assert watch.firing().isdisjoint({"OutboxStuck", "ServiceDegraded", "BrokerUnwatched"})
    finally:
        away.start()
        stack.wait_ready()

    eventually(lambda: alert not in watch.firing() | watch.told(), within=120)
