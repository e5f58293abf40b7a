"""Server-sent events to many clients at once: ten events a second, all of them for every client,
half of the clients at each of two gateways.
"""

import resource
from collections.abc import Sequence
from contextlib import ExitStack

from bench import processor
from bench.ground import Ground
from bench.pace import committed, file_steadily, listening
from bench.processor import Meter
from bench.report import Bar, latencies

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
    for _ in range(ground.size.rounds):
        _measure(ground, ["gateway", second])
    stack.stop(second)


def _measure(ground: Ground, gateways: Sequence[str]) -> None:
    stack, readers = ground.stack, ground.size.clients // len(gateways)
    token = stack.community.staff("staff").token
    count = round(RATE * ground.size.seconds)
    with ExitStack() as running:
        clients = [
            running.enter_context(
                listening("bench.readers", stack.port(name), token, readers, count)
            )
            for name in gateways
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


def _allow_connections() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(_FILES, hard), hard))
