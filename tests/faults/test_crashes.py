"""`kill -9` of services under load: nothing is lost, nothing happens twice."""

import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from deploy.databases import SERVICES

pytestmark = pytest.mark.timeout(400)
KILLS = 50


def test_killing_services_at_fifty_random_moments_under_load_loses_nothing(drill, chance):
    order = chance.sample(SERVICES, k=len(SERVICES))
    seeds = chance.random(), chance.random()
    with drill.load(), ThreadPoolExecutor(2) as pool:
        # Two at a time, each with services of its own: often one dies while another begins.
        list(pool.map(kill_again_and_again, (drill, drill), (order[:2], order[2:]), seeds))
        drill.wait_for(answers=10)

    drill.verify()


def kill_again_and_again(drill, services, seed):
    """Half of the kills, at moments that the seed says."""
    chance = random.Random(seed)
    for _ in range(KILLS // 2):
        time.sleep(chance.uniform(0.0, 1.0))
        drill.kill_and_start(chance.choice(services))


@pytest.mark.slice
def test_killing_services_in_turn_under_load_loses_nothing(drill, chance):
    order = chance.sample(SERVICES, k=len(SERVICES))
    with drill.load():
        for service in order:
            time.sleep(chance.uniform(0.2, 1.0))
            drill.kill_and_start(service)

    drill.verify()
