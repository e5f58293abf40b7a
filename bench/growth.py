"""What a hundred times as many tickets cost: filing, a page of the list, one ticket and the rates
of a month, from databases of both sizes in turn.

A clerk asks, for whom a city that grows is as large as before: their community. A department asks
for the rates of the whole city, which grow with it: no bar holds them.
"""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, create_engine
from sqlalchemy.pool import NullPool

from bench import city, wrk
from bench.ground import Ground
from bench.report import Bar, say
from chassis import clock
from chassis.call import Actor, Call
from chassis.walls import WalledSession
from services.gateway.policy import Role, grants_for
from services.tickets import listing, questions, rates, wall
from tests.stack.clients import Client
from tests.stack.stack import Stack

# As the gateway knows one.
_CLERK = (Role("clerk", "340603008002"), Role("resident"))
_P99 = "p99 ms"
_BARRED = ("list", "detail", "rates")


def measure(ground: Ground) -> None:
    """Build both, and ask both in turn."""
    stack = ground.stack
    stack.stop("tickets")
    names = [_built(stack, tickets) for tickets in ground.size.tickets]
    if not city.figures_are_true(stack, names[0]):
        raise ValueError("the figures are not what history tells")
    for name, tickets in zip(names, ground.size.tickets, strict=True):
        ground.report.add("growth", _system(tickets), GiB=city.size(stack, name))
    for number in range(ground.size.rounds):
        for name, tickets in zip(names, ground.size.tickets, strict=True):
            _serve_from(stack, name)
            _measure(ground, _system(tickets))
            if number == 0:
                _plans(ground, name)
    stack.restart("tickets")


def bars(tickets: tuple[int, int]) -> tuple[Bar, ...]:
    """Of these sizes: the large one's against the small one's."""
    small, large = map(_system, tickets)
    return tuple(Bar(what, large, _P99, 1.5, small) for what in _BARRED)


def _system(tickets: int) -> str:
    return f"{tickets:,} tickets"


def _built(stack: Stack, tickets: int) -> str:
    started = time.monotonic()
    name = city.build(stack, tickets)
    say(f"  {tickets:,} tickets written in {time.monotonic() - started:.0f} s")
    return name


def _serve_from(stack: Stack, name: str) -> None:
    url = stack.environment.of_service("tickets")["LINLI_DATABASE_URL_TICKETS"]
    stack.restart("tickets", LINLI_DATABASE_URL_TICKETS=url.rpartition("/")[0] + f"/{name}")


def _measure(ground: Ground, system: str) -> None:
    stack, seconds = ground.stack, ground.size.seconds / 2
    clerk, department = (stack.community.staff(name) for name in ("staff", "water"))
    asked = {
        "list": (clerk, ["/api/v1/tickets?limit=20"]),
        "detail": (clerk, _some_tickets(clerk)),
        "rates": (clerk, [f"/api/v1/rates?by=day&{_month()}"]),
        "rates of the city": (department, [f"/api/v1/rates?{_month()}"]),
    }
    for what, (who, paths) in asked.items():
        if ground.size.warm:
            _ask(stack.ready["url"], who, paths, ground.size.warm)
        load = _ask(stack.ready["url"], who, paths, seconds)
        ground.report.add(what, system, **load.figures())
    load = wrk.file(stack.ready["url"], stack.ready["api_key"], seconds)
    ground.report.add("filing into many", system, **load.figures())


def _ask(url: str, who: Client, paths: list[str], seconds: float) -> wrk.Load:
    return wrk.get(url, str(who.token), paths, seconds)


def _some_tickets(clerk: Client) -> list[str]:
    """Of the newest and of old ones."""
    pages = [clerk.read("tickets", params={"sort": sort, "limit": 100}) for sort in _ENDS]
    return [f"/api/v1/tickets/{ticket['id']}" for page in pages for ticket in page["items"]]


_ENDS = ("-filed_at", "filed_at")


def _month() -> str:
    """The last one that the city has whole."""
    last = clock.local(clock.now()).date() - timedelta(days=8)
    return f"from={last - timedelta(days=29)}&to={last}"


def _plans(ground: Ground, name: str) -> None:
    """Keep how PostgreSQL finds a page and the rates, below the wall."""
    clerk = Call(Actor("clerk", "person"), grants_for(_CLERK))
    month = dict(part.split("=") for part in _month().split("&"))
    wanted = questions.Rates().load({"by": "day", **month})
    asked = rates.period(wanted, clock.local(clock.now()).date())
    queries: Mapping[str, Select[Any]] = {
        "list": listing.statement(clerk, questions.ListTickets().load({})),
        "rates": rates.counted(clerk, wanted, asked),
    }
    url = ground.stack.environment.of_service("tickets")["LINLI_DATABASE_URL_TICKETS"]
    engine = create_engine(url.rpartition("/")[0] + f"/{name}", poolclass=NullPool)
    with WalledSession(engine, info={"wall": wall.settings(clerk)}) as session:
        for what, query in queries.items():
            compiled = query.compile(engine, compile_kwargs={"render_postcompile": True})
            explain = f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {compiled}"
            lines = session.connection().exec_driver_sql(explain, compiled.params).scalars()
            ground.report.note("\n".join([f"{name}, {what}:", *lines]))
