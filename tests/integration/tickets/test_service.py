"""The service as it runs: its own process, real servers, called as the gateway calls it."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import amqp
import pytest
from kombu import Connection
from marshmallow import Schema
from sqlalchemy import Engine, create_engine, func, select, text

from chassis import errors, topology
from chassis.call import Call
from chassis.consumer import consumers_of
from chassis.events import CONTENT_TYPE, CloudEvent, EventSchema, parse
from chassis.outbox import outbox
from chassis.testing import eventually
from chassis.testing.figures import figures_at, health_port
from chassis.testing.processes import ServiceProcess
from chassis.testing.rpc import RpcCaller
from chassis.testing.wire import opened
from services.tickets.fact_models import DutyRow
from services.tickets.models import TICKETS, TicketRow
from services.tickets.service import TicketsService
from tests.integration.tickets.conftest import migrated
from tests.integration.tickets.world import AREAS, filing
from tests.unit.tickets import builders
from tests.unit.tickets.builders import COMMUNITY, GRID

SERVICE = "services.tickets.service:TicketsService"
UNFINISHED = "linli_tickets_unfinished"
REPORTER = builders.resident()
CLERK = builders.clerk()
WATER = builders.department_clerk("water")
Json = dict[str, Any]


@dataclass
class Tickets:
    """The running service, and what can be seen of it from outside."""

    process: ServiceProcess
    uri: str
    engine: Engine
    channel: Any
    seen: dict[str, list[CloudEvent]] = field(default_factory=lambda: {"spy": [], "water": []})

    def __call__(self, call: Call, method: str, /, **body: Any) -> Json:
        with RpcCaller(self.uri) as rpc:
            answer: Json = rpc.call("tickets", method, body, call=call, within=10.0)
            return answer

    def tell(self, name: str, fact: Json, sequence: int = 1) -> None:
        """Publish an event as residents does."""
        noun, _, event = name.partition("_")
        body = {
            "specversion": "1.0",
            "id": str(builders.new_id()),
            "type": f"linli.residents.{name}.v1",
            "source": "/residents",
            "subject": "x",
            "time": "2026-11-01T08:00:00+08:00",
            "sequence": f"{sequence:010d}",
            "data": fact,
        }
        message = amqp.Message(json.dumps(body), content_type=CONTENT_TYPE, delivery_mode=2)
        self.channel.basic_publish(message, topology.EVENTS_EXCHANGE, f"{noun}.{event}.v1.none")

    def events(self, queue: str, subject: str) -> list[CloudEvent]:
        """The events about a ticket that a queue has been given, in order of arrival."""
        while message := self.channel.basic_get(queue, no_ack=True):
            self.seen[queue].append(parse(message.body))
        return [event for event in self.seen[queue] if event.subject == subject]

    def count(self, statement: Any) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(statement.subquery())) or 0


@pytest.fixture(scope="module")
def urls(postgres: Any) -> dict[str, str]:
    return migrated(postgres)


@pytest.fixture(scope="module")
def environ(rabbitmq: Any, urls: dict[str, str]) -> dict[str, str]:
    """Where a replica finds its servers."""
    return {
        "LINLI_AMQP_URI": rabbitmq.amqp_uri,
        "LINLI_DATABASE_URL_TICKETS": urls["app_url"],
    }


@pytest.fixture(scope="module")
def tickets(rabbitmq: Any, urls: dict[str, str], environ: dict[str, str]) -> Iterator[Tickets]:
    """The service, which has been told of the demo community."""
    declare(rabbitmq.amqp_uri)
    with ExitStack() as stack:
        channel = stack.enter_context(spying(rabbitmq.amqp_uri))
        process = stack.enter_context(ServiceProcess(SERVICE, environ))
        engine = create_engine(urls["owner_url"])  # Around whom there is no wall.
        stack.callback(engine.dispose)
        eventually(lambda: "service_started" in process.log, within=30)
        running = Tickets(process, rabbitmq.amqp_uri, engine, channel)
        tell_of_the_community(running)
        yield running
        assert process.stop() == 0


def waiting(process: ServiceProcess) -> dict[str, float]:
    """What a replica tells of the tickets that are not done, by state."""
    found = figures_at(health_port(process.log))
    return {each[1]: value for each, value in found.items() if each[0] == UNFINISHED}


def declare(uri: str) -> None:
    """What the topology step declares for this service."""
    queues = [*topology.shared(), topology.rpc("tickets")]
    for name, event_types in consumers_of(TicketsService):
        queues += [topology.dead(name), topology.consumer(name, event_types)]
    with Connection(uri) as connection:
        topology.declare(connection.channel(), queues)


@contextmanager
def spying(uri: str) -> Iterator[Any]:
    """A channel with a queue `spy` that gets every event, and one `water` bound as water's own."""
    with opened(uri) as channel:
        for queue, keys in {"spy": ("ticket.#",), "water": subscriber_keys("water")}.items():
            channel.queue_declare(queue, exclusive=True)
            for key in keys:
                channel.queue_bind(queue, topology.EVENTS_EXCHANGE, key)
        yield channel


def subscriber_keys(code: str) -> tuple[str, ...]:
    return topology.subscriber_keys(code, "ticket")


def tell_of_the_community(tickets: Tickets) -> None:
    """Publish what residents says of the demo community, and wait until it is known."""
    codes = list(AREAS)
    for code, (level, name, routing) in AREAS.items():
        path = [one for one in codes[:3] if one != code] + [code]
        fact = {"code": code, "name": name, "names": {"zh": name}, "level": level}
        tickets.tell("area_added", {**fact, "parent": None, "path": path, "routing": routing})
    for code in ("water", "roads"):
        fact = {"code": code, "name": code, "names": {"zh": code}, "active": True}
        tickets.tell("department_added", fact)
    eventually(lambda: tickets.count(text("SELECT 1 FROM areas").columns()) == len(AREAS))
    eventually(lambda: tickets.count(text("SELECT 1 FROM departments").columns()) == 2)


def test_a_request_goes_its_whole_way_and_every_step_is_told_in_order(tickets: Tickets) -> None:
    ticket = tickets(REPORTER, "file_ticket", **filing(title="楼道漏水", address="3-2-601"))
    one = {"id": ticket["id"]}
    tickets(CLERK, "accept", **one, if_match=1)
    tickets(CLERK, "assign", **one, if_match=2, department="water", note="先打电话")
    tickets(WATER, "start_work", **one, if_match=3)
    tickets(WATER, "comment", **one, text="明天上门", visibility="internal")
    tickets(WATER, "resolve", **one, if_match=4, summary="已更换水管")
    closed = tickets(REPORTER, "rate", **one, solved="yes", satisfied="yes", comment="谢谢")

    assert (closed["state"], closed["version"], closed["sequence"]) == ("closed", 6, 8)
    told = eventually(lambda: len(found := tickets.events("spy", ticket["id"])) == 8 and found)
    assert [event.type.split(".")[2] for event in told] == [
        "ticket_filed",
        "ticket_accepted",
        "ticket_assigned",
        "ticket_started",
        "ticket_commented",
        "ticket_resolved",
        "ticket_rated",
        "ticket_closed",
    ]
    assert [event.sequence for event in told] == list(range(1, 9))
    assert [event.sequence for event in tickets.events("water", ticket["id"])] == [3, 4, 5, 6, 7, 8]
    assert all(event.partitionkey == ticket["id"] for event in told)


def test_every_event_keeps_its_schema_and_tells_nothing_in_words(tickets: Tickets) -> None:
    words = ["楼道漏水", "3-2-601", "先打电话", "属于市政", "再派", "自己修好了"]
    ticket = tickets(REPORTER, "file_ticket", **filing(title=words[0], address=words[1]))
    one = {"id": ticket["id"]}
    tickets(CLERK, "accept", **one, if_match=1)
    tickets(CLERK, "assign", **one, if_match=2, department="water", note=words[2])
    tickets(WATER, "send_back", **one, if_match=3, reason=words[3])
    tickets(CLERK, "amend", **one, title="楼道漏水两天", visibility="public")
    tickets(CLERK, "assign", **one, if_match=4, department="roads", note=words[4])
    tickets(REPORTER, "withdraw", **one, reason=words[5])

    told = eventually(lambda: len(found := tickets.events("spy", ticket["id"])) == 7 and found)
    for event in told:
        schema: Schema = EventSchema.registry[event.type]()
        schema.load(event.data)
        everything = json.dumps([event.data, event.attributes], ensure_ascii=False)
        assert not [word for word in words if word in everything]
    assert not [word for word in words if word in tickets.process.log]


def test_the_department_that_loses_a_ticket_hears_of_it(tickets: Tickets) -> None:
    ticket = tickets(CLERK, "file_ticket", **filing())
    one = {"id": ticket["id"]}
    tickets(CLERK, "assign", **one, if_match=2, department="water")
    tickets(CLERK, "assign", **one, if_match=3, department="roads")
    roads = builders.department_clerk("roads")
    tickets(roads, "start_work", **one, if_match=4)

    eventually(lambda: len(tickets.events("spy", ticket["id"])) == 5)
    heard = tickets.events("water", ticket["id"])
    assert [(event.sequence, event.data["department"]) for event in heard] == [
        (3, "water"),
        (4, "roads"),
    ]


def test_fifty_requests_of_one_command_make_one_ticket(tickets: Tickets) -> None:
    call = replace(REPORTER, command_id="fifty-over-the-bus")

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: tickets(call, "file_ticket", **filing()), range(50)))

    assert all(answer == answers[0] for answer in answers)
    made = select(TicketRow.id).where(TicketRow.command_id == "fifty-over-the-bus")
    assert tickets.count(made) == 1
    eventually(lambda: tickets.count(select(outbox.c.id)) == 0)
    assert len(tickets.events("spy", answers[0]["id"])) == 1


def test_a_filing_that_was_committed_but_never_answered_is_found_again(tickets: Tickets) -> None:
    call = replace(REPORTER, command_id="crashed")
    tickets.process.stop()
    tickets.process.start(LINLI_FAULT="transaction.committed")
    with pytest.raises(errors.Unavailable), RpcCaller(tickets.uri) as rpc:
        rpc.call("tickets", "file_ticket", filing(), call=call, within=8.0)
    tickets.process.wait()
    tickets.process.start()

    ticket = eventually(lambda: answered(tickets, call), within=30)

    made = select(TicketRow.id).where(TicketRow.command_id == "crashed")
    assert tickets.count(made) == 1
    eventually(lambda: len(tickets.events("spy", ticket["id"])) == 1)


def answered(tickets: Tickets, call: Call) -> Json | None:
    try:
        return tickets(call, "file_ticket", **filing())
    except errors.Unavailable:
        return None


def test_duties_arrive_as_events(tickets: Tickets) -> None:
    worker = builders.grid_worker()
    fact = {
        "duty": str(builders.new_id()),
        "person": worker.actor.id,
        "role": "grid_worker",
        "area": GRID,
        "department": None,
        "from": "2026-01-01",
        "to": None,
    }

    tickets.tell("duty_started", fact)

    eventually(lambda: tickets.count(select(DutyRow.id)) == 1)


@pytest.mark.parametrize(
    ("method", "body", "kind", "code"),
    [
        ("get_ticket", {"id": "20200101-000001"}, "not_found", "unknown_ticket"),
        ("file_ticket", filing(area="340603008002.e9"), "invalid", "invalid"),
        ("file_ticket", filing(mood="bad"), "invalid", "invalid"),
        ("file_ticket", {}, "invalid", "invalid"),
        ("categories", {"x": 1}, "invalid", "invalid"),
        ("list_tickets", {"after": "x"}, "invalid", "invalid"),
    ],
)
def test_refusals_cross_the_bus_with_their_code(
    tickets: Tickets, method: str, body: Json, kind: str, code: str
) -> None:
    with pytest.raises(errors.ServiceError) as refused:
        tickets(REPORTER, method, **body)

    assert (refused.value.kind, refused.value.code) == (kind, code)


def test_an_illegal_move_crosses_the_bus_with_from_and_move(tickets: Tickets) -> None:
    ticket = tickets(REPORTER, "file_ticket", **filing())

    with pytest.raises(errors.Conflict) as refused:
        tickets(CLERK, "resolve", id=ticket["id"], if_match=1, summary="好了")

    assert refused.value.code == "illegal_move"
    assert refused.value.params == {"from": "filed", "move": "resolution"}


def test_a_list_is_limited_by_what_the_call_grants(tickets: Tickets) -> None:
    theirs = builders.resident()
    ticket = tickets(theirs, "file_ticket", **filing())

    def listed(call: Call) -> set[str]:
        return {item["id"] for item in tickets(call, "list_tickets", limit=200)["items"]}

    assert ticket["id"] in listed(theirs)
    assert ticket["id"] in listed(CLERK)
    assert ticket["id"] not in listed(REPORTER)
    assert ticket["id"] not in listed(builders.clerk(f"{COMMUNITY}.e2"))


def test_the_clock_closes_what_nobody_answered_for_seven_days(tickets: Tickets) -> None:
    ticket = tickets(REPORTER, "file_ticket", **filing())
    one = {"id": ticket["id"]}
    tickets(CLERK, "accept", **one, if_match=1)
    tickets(CLERK, "resolve", **one, if_match=2, summary="修好了")
    tickets.process.stop()

    tickets.process.start(LINLI_CLOCK_OFFSET=str(7 * 24 * 3600 + 60))

    told = eventually(lambda: len(found := tickets.events("spy", ticket["id"])) == 4 and found)
    assert told[-1].type == "linli.tickets.ticket_closed.v1"
    assert (told[-1].data["state"], told[-1].data["solved"]) == ("closed", "no_answer")
    tickets.process.stop()
    tickets.process.start()
    eventually(lambda: tickets(CLERK, "get_ticket", **one)["state"] == "closed")


def test_one_replica_counts_what_is_not_done_and_another_takes_over(
    tickets: Tickets, environ: dict[str, str]
) -> None:
    tickets(builders.resident(), "file_ticket", **filing())
    filed = tickets.count(select(TICKETS.c.id).where(TICKETS.c.state == "filed"))
    eventually(lambda: waiting(tickets.process).get("filed") == filed, within=20)
    assert set(waiting(tickets.process)) == {
        *("filed", "accepted", "assigned", "in_progress", "resolved")
    }
    with ServiceProcess(SERVICE, environ) as other:
        eventually(lambda: "service_started" in other.log, within=30)
        assert waiting(other) == {}

        tickets.process.kill()
        eventually(lambda: waiting(other).get("filed") == filed, within=20)

    starts = tickets.process.log.count("service_started")
    tickets.process.start()
    eventually(lambda: tickets.process.log.count("service_started") > starts, within=30)
