"""Waking the relay by a connection that dies at the worst moment."""

from typing import Any

import eventlet
import pytest
from sqlalchemy import Engine, create_engine, event, make_url

from chassis.outbox import wake_channel
from chassis.wake import RelayWaker
from deploy.databases import connect
from tests.stack.proxy import Proxy


@pytest.mark.parametrize("moment", ["before_cursor_execute", "after_cursor_execute"])
def test_a_connection_that_is_reset_costs_one_wake_up_and_nothing_else(
    postgres: Any, moment: str
) -> None:
    with Proxy(postgres.port) as wire:
        url = make_url(postgres.url("postgres")).set(port=wire.port)
        engine = create_engine(url, pool_size=1, max_overflow=0, pool_timeout=1, pool_pre_ping=True)
        waker = RelayWaker(engine, "echo")
        running = eventlet.spawn(waker.run)
        wake(waker)
        event.listen(engine, moment, lambda *_: wire.reset(), once=True)
        wake(waker)

        heard = connect(postgres.url("postgres"))
        heard.cursor().execute(f"LISTEN {wake_channel('echo')}")
        heard.commit()
        wake(waker)
        heard.poll()

        assert not running.dead
        assert len(heard.notifies) == 1
        assert checked_out(engine) == 0
        waker.stop()
        running.wait()
        heard.close()
        engine.dispose()


def wake(waker: RelayWaker) -> None:
    """And let it do so, and rest if it failed."""
    waker.wake()
    eventlet.sleep(0.7)


def checked_out(engine: Engine) -> int:
    """Connections that the pool misses."""
    missing: int = engine.pool.checkedout()  # type: ignore[attr-defined]
    return missing
