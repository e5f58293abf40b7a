"""The demo community as tickets knows it, and the service's own methods on a test's database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import clock, walls
from chassis.call import Call
from chassis.events import CloudEvent, parse
from chassis.ids import new_id
from chassis.outbox import outbox
from services.tickets import projections, wall
from services.tickets.models import HistoryRow
from services.tickets.service import TicketsService
from tests.unit.tickets.builders import COMMUNITY, GRID

E1 = f"{COMMUNITY}.e1"
E2 = f"{COMMUNITY}.e2"
OTHER_GRID = f"{E2}.g3"
BUILDING = f"{GRID}.b1"
AREAS = {
    "340603000000": ("district", "相山区", "340603"),
    "340603008000": ("sub_district", "任圩街道", "340603.008"),
    COMMUNITY: ("community", "和顺社区", "340603.008.002"),
    E1: ("estate", "和顺家园", "340603.008.002.e1"),
    GRID: ("grid", "第一网格", "340603.008.002.e1.g1"),
    BUILDING: ("building", "1号楼", "340603.008.002.e1.g1"),
    E2: ("estate", "新苑小区", "340603.008.002.e2"),
    OTHER_GRID: ("grid", "第三网格", "340603.008.002.e2.g3"),
}
DEPARTMENTS = {"water": "水务局", "roads": "市政局", "housing": "住建局"}


Json = dict[str, Any]


class Steps:
    """What `chassis.database.Transactions` is to a service, inside the test's own transaction: it
    stands behind the wall for as long as a block lasts.
    """

    def __init__(self, session: Session, call: Call) -> None:
        self._session, self._call = session, call

    @contextmanager
    def transaction(self, event: CloudEvent | None = None) -> Iterator[Session]:
        with behind_the_wall(self._session, self._call), self._session.begin_nested():
            yield self._session

    @contextmanager
    def read(self) -> Iterator[Session]:
        with behind_the_wall(self._session, self._call):
            yield self._session


@contextmanager
def behind_the_wall(session: Session, call: Call) -> Iterator[None]:
    """See what a call's transactions see, and then everything again, as the tests do."""
    walls.tell(session, {"everything": "", **wall.settings(call)})
    try:
        yield
    finally:
        walls.tell(session, walls.EVERYTHING)


def service(session: Session, call: Call) -> Any:
    """The service as one call finds it. nameko leaves the methods as they are."""
    made: Any = TicketsService()
    made.db, made.call = Steps(session, call), call
    return made


class World:
    """A community with places, departments and people on duty; `act` calls the service for
    somebody.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.seed()

    def act(self, call: Call, method: str, ticket: Json | None = None, **body: Any) -> Any:
        """Call a method now, on `ticket` if given and with its version unless the body says
        another.
        """
        if ticket is not None:
            body = {"id": ticket["id"], **body}
            if method in VERSIONED and "if_match" not in body:
                body["if_match"] = self.version(ticket)
        command = call.command_id or str(new_id())
        now = replace(call, occurred_at=clock.now(), command_id=command)
        return getattr(service(self.session, now), method)(body)

    def act_then(self, call: Call, method: str, body: Json) -> Any:
        """Call a method with the call's own time."""
        return getattr(service(self.session, call), method)(body)

    def file(self, call: Call, **values: Any) -> Json:
        """File something about water, privately, unless said otherwise."""
        filed: Json = self.act(call, "file_ticket", **filing(**values))
        return filed

    def version(self, ticket: Json) -> int:
        """The version of the ticket now."""
        found = select(HistoryRow.version).where(HistoryRow.ticket == ticket["id"])
        newest = self.session.scalar(found.order_by(HistoryRow.sequence.desc()).limit(1))
        assert newest is not None
        return newest

    def history(self, ticket: Json) -> list[Any]:
        """The ticket's history rows, oldest first."""
        rows = select(HistoryRow).where(HistoryRow.ticket == ticket["id"])
        return list(self.session.scalars(rows.order_by(HistoryRow.sequence)))

    def events(self, ticket: Json) -> list[CloudEvent]:
        """The events of the ticket that wait in the outbox, oldest first."""
        return [parse(row.body) for row in self.messages(ticket)]

    def messages(self, ticket: Json) -> list[Any]:
        """The outbox rows of the ticket, oldest first."""
        mine = outbox.c.body.contains(f'"subject":"{ticket["id"]}"')
        return list(self.session.execute(select(outbox).where(mine).order_by(outbox.c.id)))

    def duty(self, call: Call, role: str, *, today: int = 0, **values: Any) -> CloudEvent:
        """Let somebody have a duty; `today`: how many days ahead it starts (negative: ago)."""
        starts = clock.local(clock.now()).date() + timedelta(days=today)
        fact = {
            "duty": str(new_id()),
            "person": call.actor.id,
            "role": role,
            "area": None,
            "department": None,
            "from": starts.isoformat(),
            "to": None,
            **{name: _day(value) for name, value in values.items()},
        }
        event = fact_event("duty_started", fact)
        projections.keep_duty(self.session, event)
        return event

    def seed(self) -> None:
        """Places and departments, as residents tells of them."""
        for code, (level, name, routing) in AREAS.items():
            fact = {
                "code": code,
                "name": name,
                "names": {"zh": name},
                "level": level,
                "parent": None,
                "path": [one for one in AREAS if _is_above(one, code)],
                "routing": routing,
            }
            projections.keep_area(self.session, fact_event("area_added", fact))
        for code, name in DEPARTMENTS.items():
            self.department(code, name=name)

    def department(
        self, code: str, *, name: str = "部门", active: bool = True, at: int = 1
    ) -> None:
        """A department, as its event with sequence `at` tells."""
        fact = {"code": code, "name": name, "names": {"zh": name}, "active": active}
        event = fact_event("department_added", fact, sequence=at)
        projections.keep_department(self.session, event)


VERSIONED = {"accept", "refuse", "assign", "start_work", "send_back", "resolve"}


def filing(**values: Any) -> Json:
    """The body of a filing."""
    return {
        "kind": "request",
        "category": "water.burst_pipe",
        "description": "三楼楼道水管漏水",
        "area": BUILDING,
        "channel": "page",
        "visibility": "private",
        **values,
    }


def fact_event(name: str, data: Json, sequence: int = 1) -> CloudEvent:
    """An event of residents."""
    return CloudEvent(
        id=str(new_id()),
        type=f"linli.residents.{name}.v1",
        source="/residents",
        subject=str(data.get("code", data.get("duty"))),
        time=clock.now(),
        sequence=sequence,
        data=data,
    )


def _is_above(one: str, code: str) -> bool:
    """Whether a place is another, or one that it lies in."""
    if "." in one or one == COMMUNITY:
        return code == one or code.startswith(f"{one}.")
    return code.startswith(one.rstrip("0")) and (one == code or not code.endswith("000000"))


def _day(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
