"""Hours of drills on one system, in an order that the seed says, with a calm spell after each:
`make soak HOURS=8`. The first that breaks an invariant, an event that is late while all is well, or
memory that grows, ends it.
"""

import os
import random
import sys
import time
from datetime import timedelta

import pytest

from tests.faults import test_bad_messages as bad_messages
from tests.faults import test_broker_away as broker_away
from tests.faults import test_crashes as crashes
from tests.faults import test_database_away as database_away
from tests.faults import test_network as network
from tests.faults import test_slow_and_away as slow_and_away
from tests.faults import test_stopping as stopping
from tests.faults.vitals import lag_of, memory

HOURS = float(os.environ.get("HOURS", "1"))
CALM = 5.0
"""Seconds."""
LAG = 2.0
"""Seconds that an event may take in a calm spell."""
GROWTH = 128
"""Megabytes by which no process may be larger than after the first round."""

killed = crashes.test_killing_services_in_turn_under_load_loses_nothing
terminated = stopping.test_sigterm_under_load_ends_every_service_in_time_and_loses_nothing
broker_gone = broker_away.test_a_broker_that_goes_away_and_comes_back_costs_nothing
database_restarted = database_away.test_a_database_that_restarts_is_no_loss_and_no_attempt
database_frozen = database_away.test_a_frozen_database_is_answered_with_come_back_later
bad_network = network.test_a_bad_network_loses_nothing_and_gets_no_unpromised_answer
poisoned = bad_messages.test_poison_dies_with_its_reason_and_harms_nobody
told_again = bad_messages.test_every_event_again_and_again_and_out_of_order_changes_nothing
slowed = slow_and_away.test_a_consumer_that_is_ten_times_slower_makes_nobody_else_wait

ROUNDS = {
    "services killed": lambda drill, _wires, chance: killed(drill, chance),
    "services terminated": lambda drill, _wires, _chance: terminated(drill),
    "broker away": lambda drill, _wires, chance: broker_gone(
        drill, chance.choice(list(broker_away.BACK)), chance.uniform(2, 60)
    ),
    "database restarted": lambda drill, _wires, chance: database_restarted(
        drill,
        chance.choice([database_away.fast, database_away.immediate]),
        chance.uniform(0, 30),
    ),
    "database frozen": lambda drill, _wires, _chance: database_frozen(drill),
    "bad network": lambda drill, wires, chance: bad_network(
        drill, wires, chance, chance.choice(network.WIRES)
    ),
    "poison": lambda drill, _wires, _chance: poisoned(drill),
    "every event again": lambda drill, _wires, chance: told_again(drill, chance),
    "a slow consumer": lambda drill, _wires, _chance: slowed(drill),
}


@pytest.mark.timeout(0)
def test_hours_of_faults_lose_nothing_and_leave_the_system_as_it_was(
    new_drill, watchers, wires, chance
):
    begun, number, first = time.monotonic(), 0, {}
    while time.monotonic() - begun < HOURS * 3600:
        number += 1
        name = chance.choice(list(ROUNDS))
        watchers.forget()
        ROUNDS[name](new_drill(), wires, random.Random(chance.random()))
        watchers.forget()
        lag, sizes = calm(new_drill())
        first = first or sizes
        say(f"{number}: {name}, then {lag:.2f} s late at most", time.monotonic() - begun, sizes)
        assert max(sizes[each] - first[each] for each in sizes) <= GROWTH, (first, sizes)


def calm(drill):
    """Load while nothing breaks: how late events are, and how much memory everything takes."""
    with drill.load():
        time.sleep(CALM)
    drill.verify()
    lag = lag_of([*drill.watchers.subscriber.ledger, *drill.watchers.stream.ledger])
    drill.report.measure("calm: events are late", lag, LAG)
    return lag, memory(drill.stack)


def say(what, after, sizes):
    """A line for whoever watches."""
    megabytes = ", ".join(f"{name} {size}" for name, size in sizes.items())
    sys.stdout.write(f"{timedelta(seconds=int(after))} {what}; MB: {megabytes}\n")
    sys.stdout.flush()
