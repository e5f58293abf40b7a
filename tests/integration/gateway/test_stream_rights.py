"""Rights that change while a stream is open, however the news of it travels."""

import json
from datetime import timedelta
from uuid import uuid4

import amqp
import pytest
from kombu import Connection
from sqlalchemy import text

from chassis import clock, topology
from chassis.events import CONTENT_TYPE
from chassis.ids import new_id
from chassis.testing import eventually
from tests.integration.gateway.event_source import EventSource, Publisher, Stage

ASSIGNED = "linli.tickets.ticket_assigned.v1"
GRID, OTHER_GRID = "340603008002.e1.g1", "340603008002.e2.g3"


@pytest.fixture(scope="module")
def gateway(rabbitmq, postgres, free_port):
    stage = Stage(rabbitmq, postgres, free_port)
    with stage.gateway() as gateway:
        yield gateway
    stage.close()


class Worker:
    """A grid worker with a duty that tests change."""

    def __init__(self, stage):
        self.stage, self.person, self.duty, self.sequence = stage, uuid4(), uuid4(), 0
        self.token = stage.key("person", str(self.person))

    def told(self, starts=-1, ends=None, area=GRID):
        """The next event of the duty, with days from today on."""
        self.sequence += 1
        today = clock.local(clock.now()).date()
        data = {
            "duty": str(self.duty),
            "person": str(self.person),
            "role": "grid_worker",
            "area": area,
            "department": None,
            "from": (today + timedelta(days=starts)).isoformat(),
            "to": None if ends is None else (today + timedelta(days=ends)).isoformat(),
        }
        return json.dumps(
            {
                "specversion": "1.0",
                "id": str(new_id()),
                "type": "linli.residents.duty_changed.v1",
                "source": "/residents",
                "subject": str(self.duty),
                "time": clock.iso(clock.now()),
                "sequence": f"{self.sequence:010d}",
                "data": data,
            }
        )

    def change(self, **days):
        with Publisher(self.stage.amqp_uri) as publisher:
            publisher.publish(self.told(**days), "duty.changed.v1.none.340603.008")

    def sees(self, source, number, seen, **data):
        """Publish an event and one of the worker's own, which is seen whatever their duty: when
        that is here, so is the first, or never.
        """
        self.stage.publish(number, **data)
        self.stage.publish(100 + number, reporter=str(self.person))
        eventually(lambda: 100 + number in source.numbers)
        assert (number in source.numbers) is seen

    def follow(self, gateway):
        return EventSource(gateway, token=self.token, type=ASSIGNED)


@pytest.fixture
def worker(gateway):
    return Worker(gateway.stage)


def test_a_duty_that_ends_takes_the_open_stream_along_and_one_that_begins_gives_it_back(
    gateway, worker
):
    with worker.follow(gateway) as source:
        worker.sees(source, 1, False)
        worker.change()
        worker.sees(source, 2, True)
        worker.change(ends=-1)
        worker.sees(source, 3, False)
        worker.change(starts=1)
        worker.sees(source, 4, False)
        worker.change()
        worker.sees(source, 5, True)

        assert source.connections == 1


def test_a_worker_who_moves_gets_the_new_grid_and_no_longer_the_old_one(gateway, worker):
    with worker.follow(gateway) as source:
        worker.change()
        worker.sees(source, 1, True)
        worker.sees(source, 2, False, area=OTHER_GRID)
        worker.change(area=OTHER_GRID)
        worker.sees(source, 3, False)
        worker.sees(source, 4, True, area=OTHER_GRID)


def test_the_stream_does_not_wait_for_the_queue_that_duties_are_kept_from(gateway, worker):
    with worker.follow(gateway) as source:
        worker.change()
        worker.sees(source, 1, True)
        to_the_stream_only(gateway.stage, worker.told(ends=-1))
        worker.sees(source, 2, False)


def test_a_revoked_key_ends_the_stream_within_seconds_though_nothing_is_told(gateway, worker):
    stage = gateway.stage
    worker.change()
    with worker.follow(gateway) as source:
        stage.publish(0)
        eventually(lambda: source.numbers == [0])
        with stage.engine.begin() as connection:
            connection.execute(
                text("DELETE FROM api_keys WHERE owner = :owner"), {"owner": str(worker.person)}
            )

        eventually(lambda: source.refused, within=10)

        assert source.refused[0] == 401


def to_the_stream_only(stage, body):
    with Connection(stage.amqp_uri) as connection:
        message = amqp.Message(body, content_type=CONTENT_TYPE, delivery_mode=2)
        connection.channel().basic_publish(message, "", topology.LOG_STREAM)
