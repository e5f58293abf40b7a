"""The database restarts, dies or freezes: pools heal, events wait uncounted, the relay goes on."""

import time
from typing import Any
from uuid import uuid4

import pytest

from chassis import errors
from chassis.testing import eventually
from tests.integration.chassis.conftest import CLOUD_EVENT, Toy, event


@pytest.mark.parametrize(("away", "back"), [("kill", "start"), ("freeze", "thaw")])
def test_a_database_that_was_away_is_used_again_within_five_seconds(
    echo: Toy, postgres: Any, away: str, back: str
) -> None:
    pid, subject, event_id = echo.process.pid, str(uuid4()), str(uuid4())
    getattr(postgres, away)()
    try:
        echo.publish(event(id=event_id, subject=subject), **CLOUD_EVENT)
        with pytest.raises(errors.Unavailable):
            echo.call("add", subject, 1, within=2)
        time.sleep(2)
    finally:
        getattr(postgres, back)()

    eventually(lambda: echo.call("add", str(uuid4()), 1, within=5) is None, within=5)
    eventually(lambda: 1 in echo.effects(subject), within=5)
    eventually(lambda: echo.rows("SELECT count(*) FROM outbox") == [(0,)], within=5)
    assert echo.process.pid == pid
    assert echo.process.running
    assert echo.said("event_retried", event_id) == []


def test_after_a_restart_of_the_database_the_relay_is_woken_again(echo: Toy, postgres: Any) -> None:
    """And does not merely look twice a second."""
    active = echo.process.log.count("relay_active")
    postgres.stop()
    postgres.start()
    eventually(lambda: echo.process.log.count("relay_active") > active)
    echo.ready()

    assert sorted(_seconds_to_effect(echo) for _ in range(10))[7] < 0.2


def _seconds_to_effect(echo: Toy) -> float:
    subject = str(uuid4())
    echo.call("add", subject, 1)
    committed = time.monotonic()
    eventually(lambda: echo.effects(subject))
    time.sleep(0.1)
    return time.monotonic() - committed - 0.1
