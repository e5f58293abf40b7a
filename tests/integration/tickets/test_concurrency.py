"""Many at once: one command makes one ticket, numbers differ, and of two rivals one moves."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, func, select, text
from sqlalchemy.orm import Session

from chassis.call import Call
from chassis.errors import Conflict, ServiceError, Stale
from chassis.events import parse
from chassis.outbox import outbox
from chassis.testing import eventually
from chassis.walls import EVERYTHING, WalledSession
from services.tickets import wall
from services.tickets.models import HistoryRow, TicketRow
from services.tickets.service import TicketsService
from tests.integration.tickets.conftest import migrated
from tests.integration.tickets.world import World, filing
from tests.unit.tickets import builders

MANY = 50
CLERK = builders.clerk()
Json = dict[str, Any]


class Committing:
    """Real transactions, each on a connection of its own."""

    def __init__(self, engine: Engine, call: Call) -> None:
        self.engine, self.seen = engine, wall.settings(call)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with WalledSession(self.engine, info={"wall": self.seen}) as session, session.begin():
            yield session

    read = transaction


@pytest.fixture(scope="module")
def crowd(postgres: Any) -> Iterator[Engine]:
    """A database of their own for tests that commit, with room for many at once."""
    engine = create_engine(migrated(postgres)["app_url"], pool_size=MANY)
    with everything(engine) as session, session.begin():
        World(session)
    yield engine
    engine.dispose()


def everything(engine: Engine) -> Session:
    """A session that sees everything."""
    return WalledSession(engine, info={"wall": EVERYTHING})


def act(engine: Engine, call: Call, method: str, **body: Any) -> Json:
    tickets: Any = TicketsService()
    tickets.db, tickets.call = Committing(engine, call), call
    answer: Json = getattr(tickets, method)(body)
    return answer


def at_once(times: int, what: Callable[[int], Any]) -> list[Any]:
    """What each call gave or raised, all let go at the same moment."""
    barrier = Barrier(times)

    def run(index: int) -> Any:
        barrier.wait()
        try:
            return what(index)
        except ServiceError as error:
            return error

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


def count(engine: Engine, statement: Any) -> int:
    with everything(engine) as session:
        return session.scalar(select(func.count()).select_from(statement.subquery())) or 0


def test_fifty_filings_of_one_command_make_one_ticket(crowd: Engine) -> None:
    call = replace(CLERK, command_id="fifty")

    answers = at_once(MANY, lambda _: act(crowd, call, "file_ticket", **filing()))

    assert {answer["id"] for answer in answers} == {answers[0]["id"]}
    assert all(answer["state"] == "accepted" for answer in answers)
    made = select(TicketRow.id).where(TicketRow.command_id == "fifty")
    assert count(crowd, made) == 1
    rows = select(HistoryRow.ticket).where(HistoryRow.ticket == answers[0]["id"])
    assert count(crowd, rows) == 2


def test_fifty_filings_get_fifty_numbers(crowd: Engine) -> None:
    answers = at_once(MANY, lambda _: act(crowd, builders.resident(), "file_ticket", **filing()))

    assert len({answer["number"] for answer in answers}) == MANY


def test_the_first_filings_of_a_day_agree_on_where_it_starts(crowd: Engine) -> None:
    importer = builders.person(builders.Role("machine"))
    then = builders.NOON.replace(year=2020)

    answers = at_once(
        20,
        lambda _: act(crowd, replace(importer, occurred_at=then), "file_ticket", **filing()),
    )

    numbers = sorted(int(answer["number"].split("-")[1]) for answer in answers)
    assert len(set(numbers)) == 20
    assert numbers[0] >= 1
    assert numbers[-1] < 100


def test_a_command_repeated_while_it_takes_the_ticket_away_from_its_caller_is_known(
    crowd: Engine,
) -> None:
    """Who waits for the lock behind the first one began to look before it had left its mark."""
    ticket = act(crowd, CLERK, "file_ticket", **filing())
    about = {"id": ticket["id"], "if_match": ticket["version"]}
    ticket = act(crowd, CLERK, "assign", **about, department="water")
    call = replace(builders.department_clerk(), command_id="sent back")
    body = {"id": ticket["id"], "if_match": ticket["version"], "reason": "not ours"}

    with everything(crowd) as holder, ThreadPoolExecutor(2) as pool:
        holder.execute(select(TicketRow.id).where(TicketRow.id == ticket["id"]).with_for_update())
        asked = [pool.submit(act, crowd, call, "send_back", **body) for _ in range(2)]
        eventually(lambda: waiting_for_locks(crowd) == 2)
        holder.rollback()
        answers = [each.result() for each in asked]

    assert [answer["version"] for answer in answers] == [ticket["version"] + 1] * 2


def waiting_for_locks(engine: Engine) -> int:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with engine.connect() as connection:
        return int(connection.scalar(waiting))


def test_of_ten_who_accept_it_at_once_one_does(crowd: Engine) -> None:
    ticket = act(crowd, builders.resident(), "file_ticket", **filing())
    body = {"id": ticket["id"], "if_match": 1}

    answers = at_once(10, lambda _: act(crowd, builders.clerk(), "accept", **body))

    assert sum(isinstance(answer, dict) for answer in answers) == 1
    assert sum(isinstance(answer, Stale) for answer in answers) == 9


def test_of_ten_withdrawals_one_happens_and_the_others_learn_why_not(crowd: Engine) -> None:
    reporter = builders.resident()
    ticket = act(crowd, reporter, "file_ticket", **filing())
    body = {"id": ticket["id"], "reason": "自己修好了"}

    answers = at_once(10, lambda _: act(crowd, reporter, "withdraw", **body))

    refused = [answer for answer in answers if isinstance(answer, Conflict)]
    assert len(refused) == 9
    assert {error.params["from"] for error in refused} == {"withdrawn"}


def test_one_move_sent_ten_times_at_once_happens_once(crowd: Engine) -> None:
    reporter = builders.resident()
    ticket = act(crowd, reporter, "file_ticket", **filing())
    call = replace(reporter, command_id="once")
    body = {"id": ticket["id"], "reason": "自己修好了"}

    answers = at_once(10, lambda _: act(crowd, call, "withdraw", **body))

    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["state"] == "withdrawn"


def test_events_of_one_ticket_lie_in_the_outbox_in_their_order(crowd: Engine) -> None:
    reporter = builders.resident()
    ticket = act(crowd, reporter, "file_ticket", **filing())

    at_once(20, lambda n: act(crowd, reporter, "comment", id=ticket["id"], text=f"第{n}次"))

    with everything(crowd) as session:
        bodies = session.scalars(select(outbox.c.body).order_by(outbox.c.id)).all()
    events = [event for event in map(parse, bodies) if event.subject == ticket["id"]]
    assert [event.sequence for event in events] == list(range(1, 22))
    times = [event.data["occurred_at"] for event in events]
    assert times == sorted(times)
