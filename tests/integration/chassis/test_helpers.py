"""What works beside a service, at its end."""

import threading
from collections.abc import Iterator

import pytest

from chassis.testing import eventually
from chassis.testing.processes import ServiceProcess
from tests.integration.chassis.conftest import Toy

HELPED = "tests.toys.echo.service:HelpedEchoService"


@pytest.fixture
def helped(echo: Toy, echo_environ: dict[str, str]) -> Iterator[Toy]:
    """The toy with its helper, in place of the one without."""
    echo.process.stop()
    with ServiceProcess(HELPED, echo_environ) as process:
        toy = Toy(process, echo.engine, echo.amqp_uri)
        toy.ready()
        eventually(lambda: "helper_started" in process.log)
        yield toy


def test_a_helper_is_told_at_once_has_the_grace_period_and_the_relay_outlives_it(
    helped: Toy,
) -> None:
    with helped.taking():
        call = threading.Thread(target=helped.call, args=("sleep", 1))
        call.start()

    assert helped.process.stop() == 0

    call.join(5)
    log = helped.process.log
    # While a worker still had a call at hand.
    assert log.index("helper_told") < log.index("http_draining")
    # It ends once its event has been published, which was written when the workers had ended.
    assert log.index("http_draining") < log.index("helper_ended")
    assert helped.rows("SELECT count(*) FROM outbox") == [(0,)]


def test_a_helper_that_takes_too_long_is_ended_with_the_grace_period(
    echo: Toy, echo_environ: dict[str, str]
) -> None:
    echo.process.stop()
    with ServiceProcess(HELPED, {**echo_environ, "LINLI_GRACE_SECONDS": "1"}) as process:
        eventually(lambda: "helper_started" in process.log)

        assert process.stop(within=6) == 0

        assert "helper_told" in process.log
        assert "helper_ended" not in process.log
