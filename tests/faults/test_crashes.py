"""`kill -9` of services under load: nothing is lost, nothing happens twice."""

import time

import pytest

from deploy.local.environment import SERVICES

pytestmark = pytest.mark.timeout(400)


def test_killing_services_at_fifty_random_moments_under_load_loses_nothing(drill, chance):
    with drill.load():
        for _ in range(50):
            time.sleep(chance.uniform(0.0, 1.0))
            drill.kill_and_start(chance.choice(SERVICES))
        drill.wait_for(answers=10)

    drill.verify()


@pytest.mark.slice
def test_killing_services_in_turn_under_load_loses_nothing(drill, chance):
    order = chance.sample(SERVICES, k=len(SERVICES))
    with drill.load():
        for service in order:
            time.sleep(chance.uniform(0.2, 1.0))
            drill.kill_and_start(service)

    drill.verify()
