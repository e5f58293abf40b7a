"""Filing, reading one, listing: throughput, latency and processor time of each system in turn,
under the same load.

Processor time is that of the system's own processes, PostgreSQL's and RabbitMQ's apart, until
everything that the load caused is done. Of Linli it comes in two: `serving`, which answers and
publishes (the gateway with the feed that it keeps, tickets, the relay), as the peers' processes do;
and `following`, what residents and notifications do about the events, which the peers do not.
"""

from collections.abc import Mapping, Sequence

from bench import wrk
from bench.ground import Ground
from bench.processor import Meter
from bench.report import Bar
from bench.systems import System, servers, systems
from tests.stack.clients import Client

KINDS = ("filing", "reading", "listing")
SERVING = "serving cpu ms"
BARS = (
    Bar("filing", "linli", SERVING, 1.0, "modern"),
    Bar("filing", "linli", SERVING, 0.6, "stock"),
)
_LIST = "/api/v1/tickets?limit=20"


def measure(ground: Ground, kinds: Sequence[str] = KINDS) -> None:
    """Rounds of these kinds, the systems taking turns."""
    with systems(ground.stack) as all_systems:
        for system in all_systems:
            wrk.file(system.url, system.token, ground.size.warm)
            system.settle()
        paths = {system.name: _tickets_of(system) for system in all_systems}
        for number in range(ground.size.rounds):
            for kind in kinds:
                # Whoever is first has the emptiest caches: another one each time.
                for place in range(len(all_systems)):
                    system = all_systems[(number + place) % len(all_systems)]
                    figures = _measure(ground, system, kind, paths[system.name])
                    ground.report.add(kind, system.name, **figures)


def _tickets_of(system: System) -> list[str]:
    with Client(system.url, system.token) as client:
        found = client.read("tickets", params={"limit": 100})["items"]
    return [f"/api/v1/tickets/{ticket['id']}" for ticket in found]


def _measure(ground: Ground, system: System, kind: str, paths: list[str]) -> dict[str, float]:
    groups = {"serving": system.serving(), "following": system.following()}
    there = {name: roots for name, roots in groups.items() if roots}
    meter = Meter({**there, **servers(ground.stack)})
    load = _load(system, kind, paths, ground.size.seconds)
    system.settle()
    used: Mapping[str, float] = meter.read()
    each = {f"{name} cpu ms": spent / load.requests * 1000 for name, spent in used.items()}
    return {**load.figures(), **each}


def _load(system: System, kind: str, paths: list[str], seconds: float) -> wrk.Load:
    if kind != "filing":
        asked = paths if kind == "reading" else [_LIST]
        return wrk.get(system.url, system.token, asked, seconds)
    before = system.filed()
    load = wrk.file(system.url, system.token, seconds)
    made = system.filed() - before
    # Those that were under way at the end may have been filed without an answer.
    if not load.requests <= made <= load.requests + wrk.CONNECTIONS:
        raise wrk.Failed(f"{system.name} answered {load.requests} filings and holds {made}")
    return load
