"""Server-sent events to many clients at once: ten events a second, all of them for every client,
half of the clients at each of two gateways, each a clerk with a duty and a session of their own.
"""

import resource
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from bench import processor
from bench.ground import Ground
from bench.pace import committed, file_steadily, listening
from bench.processor import Meter
from bench.report import Bar, latencies
from chassis import clock
from chassis.ids import new_id
from deploy.local.demo_people import COMMUNITY
from services.gateway.models import Duty
from services.gateway.sessions import PASSWORD, SignIn, open_session
from tests.stack.stack import Stack

RATE = 10
_TELLS = "commit to clients of the event stream"
BARS = (
    Bar(_TELLS, "all", "p99 ms", 250),
    Bar(_TELLS, "gateway", "memory MiB", 150),
    Bar(_TELLS, "gateway-2", "memory MiB", 150),
)
_FILES = 65_536


def measure(ground: Ground) -> None:
    """Rounds with the same gateways, the clients coming anew."""
    _allow_connections()
    stack = ground.stack
    stack.restart("gateway")  # So that it may open as many files as we may now.
    second = stack.add_replica("gateway")
    stack.wait_ready(second)
    tokens = sign_in(stack, ground.size.clients)
    for _ in range(ground.size.rounds):
        _measure(ground, ["gateway", second], tokens)
    stack.stop(second)


def _measure(ground: Ground, gateways: Sequence[str], tokens: Sequence[str]) -> None:
    stack, readers = ground.stack, len(tokens) // len(gateways)
    count = round(RATE * ground.size.seconds)
    with ExitStack() as running:
        clients = [
            running.enter_context(
                listening("bench.readers", stack.port(name), count, ",".join(tokens[at::2]))
            )
            for at, name in enumerate(gateways)
        ]
        meter = Meter({name: [stack.pid(name)] for name in gateways})
        file_steadily(stack, RATE, count)
        heard = [client.heard() for client in clients]
        used = meter.read()
        memory = {name: processor.memory(stack.pid(name)) for name in gateways}
    at = committed(stack, [*heard[0]])
    late = [
        moment - at[ticket]
        for each in heard
        for ticket, moments in each.items()
        for moment in moments
    ]
    ground.report.add(_TELLS, "all", **latencies(late))
    for name in gateways:
        each = used[name] / (count * readers) * 1e6
        figures = {"memory MiB": memory[name], "cpu µs an event": each}
        ground.report.add(_TELLS, name, **figures)


def sign_in(stack: Stack, clerks: int) -> list[str]:
    """Tokens of so many clerks of the community, as the gateway's database would have them."""
    engine = create_engine(stack.postgres.url("linli_gateway"), poolclass=NullPool)
    now, found = clock.now(), []
    today = clock.local(now).date()
    with Session(engine) as session, session.begin():
        for _ in range(clerks):
            person, duty = uuid4(), {"role": "clerk", "area": COMMUNITY, "starts": today}
            session.add(Duty(duty=new_id(), person=person, sequence=1, **duty))
            signing_in = SignIn(person, PASSWORD, timedelta(days=1))
            found.append(open_session(session, signing_in, new_id(), now)[1])
    return found


def _allow_connections() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(_FILES, hard), hard))
