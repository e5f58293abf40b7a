"""A bad network between the services and their servers, and between clients and the gateway: late,
slow, in pieces, cut both ways or one way, reset in the middle of a frame. Nothing is lost, and no
answer is one that nobody has promised.
"""

import time

import pytest

from deploy.databases import SERVICES
from tests.stack.proxy import (
    DOWNSTREAM,
    UPSTREAM,
    Bandwidth,
    Latency,
    ResetPeer,
    Slicer,
    Timeout,
)

pytestmark = pytest.mark.timeout(300)
LASTS = 3.0
"""Seconds."""
SLICES = Slicer(average_size=40, size_variation=30)
TROUBLES = {
    "latency": [Latency(latency=0.5, jitter=0.1)],
    "bandwidth": [Bandwidth(rate=20)],
    "slices": [Slicer(average_size=400, size_variation=300, delay=0.001)],
    "cut": [Timeout()],
    "cut_upstream": [Timeout([UPSTREAM])],
    "cut_downstream": [Timeout([DOWNSTREAM])],
    "reset_upstream": [SLICES, ResetPeer([UPSTREAM], timeout=0.02)],
    "reset_downstream": [SLICES, ResetPeer([DOWNSTREAM], timeout=0.02)],
}
TURNS = (("broker", "cut_downstream"), ("database", "reset_upstream"), ("gateway", "cut_upstream"))
WIRES = ("broker", "database", "gateway")


def test_three_bad_networks_in_turn_lose_nothing(drill, wires):
    drill.crowd = drill.crowd.through(wires.gateway.port)
    with drill.load():
        for wire, trouble in TURNS:
            drill.wait_for(answers=10)
            with getattr(wires, wire).having(*TROUBLES[trouble]):
                time.sleep(LASTS)
        drill.wait_for(answers=10)

    drill.verify()


@pytest.mark.parametrize("wire", WIRES)
def test_a_bad_network_loses_nothing_and_gets_no_unpromised_answer(drill, wires, chance, wire):
    drill.crowd = drill.crowd.through(wires.gateway.port)
    before = {name: drill.stack.pid(name) for name in SERVICES}
    with drill.load():
        for trouble in chance.sample(list(TROUBLES), k=len(TROUBLES)):
            drill.wait_for(answers=10)
            with getattr(wires, wire).having(*TROUBLES[trouble]):
                time.sleep(LASTS)
        drill.wait_for(answers=10)
        reset_again_and_again(getattr(wires, wire), chance)
        drill.wait_for(answers=10)

    drill.verify()
    assert {name: drill.stack.pid(name) for name in SERVICES} == before


def reset_again_and_again(wire, chance):
    """Reset whatever is open, ten times."""
    for _ in range(10):
        time.sleep(chance.uniform(0.1, 0.6))
        wire.reset()
