"""The broker: reachable, of a version that we know, without alarms, as planned, and read."""

from collections.abc import Iterator, Mapping
from typing import Any

from chassis import topology as names
from deploy import backlogs, dead_letters, settings, topology
from deploy.broker import Broker
from deploy.doctor.findings import Finding, bad, judged, ok, warn

WHAT = "broker"
OLDEST = (3, 10)
SHOWN = 10
FULL = 80
"""Percent of a department's queue."""
ASKED = ("residents", "tickets", "notifications")
"""Services that answer RPC."""
LONG = 10_000
"""Messages in a consumer's queue."""


def examine(environ: Mapping[str, str]) -> Iterator[Finding]:
    """All of it."""
    broker = settings.broker(environ)
    with broker.connect():
        yield _version(broker)
    yield from _alarms(broker)
    yield from _features(broker)
    planned = topology.plan(environ)
    yield from _topology(broker, planned)
    yield from _consumers(broker, planned)
    yield from _dead(broker)
    yield from _departments(broker)


def _version(broker: Broker) -> Finding:
    told = broker.management.get("overview") or {}
    version = str(told.get("rabbitmq_version", "unknown"))
    parts = [int(part) for part in version.split(".")[:2] if part.isdigit()]
    says = f"answers, RabbitMQ {version} on Erlang {told.get('erlang_version', '?')}"
    return judged(tuple(parts) >= OLDEST, WHAT, says, "3.10 or newer is needed")


def _alarms(broker: Broker) -> Iterator[Finding]:
    nodes: list[dict[str, Any]] = broker.management.get("nodes") or []
    for node in nodes:
        what = f"{WHAT} {node['name']}"
        if not node.get("running"):
            yield bad(what, "does not run", "start it: quorum queues need most of the nodes")
        elif node.get("partitions"):
            yield bad(what, "does not see every node", "mend the network, then restart this one")
        elif node.get("mem_alarm") or node.get("disk_free_alarm"):
            hint = "until it ends nothing is published, and filing answers 503: give it room"
            yield bad(what, "has an alarm: memory or disk", hint)
        else:
            free = int(node.get("disk_free", 0)) / (1 << 30)
            yield ok(what, f"no alarm, {free:.1f} GiB of disk left")


def _features(broker: Broker) -> Iterator[Finding]:
    flags: list[dict[str, Any]] = broker.management.get("feature-flags") or []
    off = sorted(
        flag["name"]
        for flag in flags
        if flag["state"] == "disabled" and flag["stability"] == "stable"
    )
    if off:
        hint = "rabbitmqctl enable_feature_flag all: the next version does not start without them"
        yield warn(WHAT, f"feature flags are off: {', '.join(off)}", hint)


def _topology(broker: Broker, planned: topology.Plan) -> Iterator[Finding]:
    found = topology.check(broker, planned)
    for difference in found[:SHOWN]:
        hint = "`linli topology apply`" if difference.mend else "see `linli topology check`"
        yield bad("topology", str(difference), hint)
    if not found:
        yield ok("topology", "as planned")


def _consumers(broker: Broker, planned: topology.Plan) -> Iterator[Finding]:
    held = {each["name"]: each for each in broker.management.get("queues", broker.vhost) or []}
    queues = [queue for service in planned.services for queue, _ in service.consumers]
    queues += [
        names.rpc_queue(service.name) for service in planned.services if service.name in ASKED
    ]
    unread = [queue for queue in queues if not held.get(queue, {}).get("consumers")]
    long = [queue for queue in queues if held.get(queue, {}).get("messages", 0) > LONG]
    if unread:
        says = f"nobody reads {len(unread)} queues: {', '.join(unread[:SHOWN])}"
        yield bad("queues", says, "does that service run, and with its own broker account?")
    if long:
        hint = "its service is slow or stands still: look at its log, or start another replica"
        yield warn("queues", f"more than {LONG} events wait in {', '.join(long)}", hint)
    if not unread and not long:
        yield ok("queues", f"all {len(queues)} are read")


def _dead(broker: Broker) -> Iterator[Finding]:
    counts = {queue: count for queue, count in dead_letters.counts(broker).items() if count}
    for queue, count in counts.items():
        hint = f"`linli dead-letters show {queue}`, mend the cause, then replay or drop"
        yield warn("dead letters", f"{count} in {queue}", hint)
    if not counts:
        yield ok("dead letters", "none")


def _departments(broker: Broker) -> Iterator[Finding]:
    for each in backlogs.backlogs(broker):
        if each.missing:
            yield bad("departments", str(each), f"`linli departments grant {each.department}`")
        elif each.percent >= FULL:
            yield warn("departments", str(each), "tell the department: the oldest events go first")
