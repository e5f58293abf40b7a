"""Death at the worst places: between commit and publish, publish and delete, effect and
acknowledgement.
"""

import pytest

from chassis.testing import eventually

pytestmark = pytest.mark.timeout(300)
slice_ = pytest.mark.slice


@pytest.fixture
def armed(drill):
    """Starts a service anew with a point at which it kills itself; disarmed at the end."""
    names = set()

    def arm(name, point):
        names.add(name)
        if drill.stack.running(name):
            drill.stack.stop(name)
        # Not waited for: with enough to do it dies before it is ready.
        drill.stack.start(name, LINLI_FAULT=point)

    yield arm
    for name in names:
        drill.stack.restart(name)


def relay_deaths(drill, service):
    """How often a service's relay has died so far."""
    return drill.stack.log(service).count('"relay_died"')


@pytest.mark.parametrize(
    "point", [pytest.param("relay.published@2", marks=slice_), "relay.reading@3"]
)
def test_a_relay_that_dies_around_publishing_loses_nothing(drill, armed, point):
    before = relay_deaths(drill, "tickets")
    armed("tickets", point)

    with drill.load():
        eventually(lambda: relay_deaths(drill, "tickets") >= before + 2, within=60)
        drill.stack.restart("tickets")
        drill.wait_for(answers=30)
    found = drill.verify()

    ids = [seen.id for seen in found.wire]
    published_twice = len(ids) - len(set(ids))
    # Published and not deleted is published again; that is what the inboxes are for.
    assert published_twice > 0 if point.startswith("relay.published") else published_twice == 0


@pytest.mark.parametrize(
    ("service", "point"),
    [
        ("tickets", "outbox.stored@5"),  # all is written, nothing committed
        # committed, nobody told, nothing published
        ("tickets", "transaction.committed@5"),
        # the effect is there, nothing acknowledged
        pytest.param("notifications", "consumer.handled@5", marks=slice_),
        ("notifications", "transaction.committed@5"),
        ("gateway", "transaction.committed@25"),  # a key claimed or an answer kept, nothing sent
    ],
)
def test_a_service_that_dies_around_its_commit_does_all_once(drill, armed, service, point):
    armed(service, point)

    with drill.load():
        drill.stack.wait_ended(service, within=60)
        drill.stack.start(service)
        drill.stack.wait_ready(service)
        drill.wait_for(answers=30)

    drill.verify()


def test_events_handled_again_after_a_crash_change_nothing(drill, armed):
    """The consumer dies with its prefetch in hand, again and again; each death is a redelivery."""
    with drill.load(stories=40) as load:
        for _ in range(3):
            armed("notifications", "consumer.handled@3")
            drill.stack.wait_ended("notifications", within=60)
        drill.stack.start("notifications")
        load.join()

    drill.verify()
