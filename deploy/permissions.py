"""Who may do what on the broker: a user for each service, an observer, and one for each
department.

RabbitMQ matches its permissions as regular expressions against names of queues and exchanges, and
topic permissions against routing and binding keys. Every pattern here is anchored.
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from chassis import topology
from deploy.accounts import (
    Access,
    Account,
    account_differences,
    policy_differences,
    put_user,
    tags_of,
)
from deploy.broker import Broker, Difference, Snapshot
from deploy.queues import binding_differences, declare_queue, queue_differences, unbind

NOTHING = "^$"
DEPARTMENT_TAG = "linli-department"
"""Marks departments' users, so that they are found again; RabbitMQ gives a tag it does not know no
meaning.
"""
DEPARTMENT_NOUN = "ticket"
"""Departments hear of tickets. Areas, duties and residents are the services' business."""
DEPARTMENT_LIMITS = {"max-connections": 20, "max-channels": 100}
DAY_MS = 24 * 60 * 60 * 1000


class UnknownCode(ValueError):
    """A department's code is a word of at most 40 lower-case letters, digits and underscores, and
    not reserved.
    """


class NotGranted(Exception):
    """This department has no access."""


class UnknownName(ValueError):
    """A further queue's name is a word of at most 40 lower-case letters, digits and underscores,
    and neither `events` nor `log`.
    """


class NoSuchQueue(Exception):
    """The department has no further queue of this name."""


def service_access(service: str, *, emits: bool, follows_log: bool) -> Access:
    """A service reads its own queues, and declares nothing: the topology step has done so.

    It writes to `nameko-rpc` (calls), to the retry exchanges, to `linli.events` if it emits, and
    to `amq.default`, the default exchange: RPC replies and dead letters go through it. RabbitMQ
    cannot narrow the default exchange to certain queues, so a service could write to any queue;
    departments therefore never get it.
    """
    exchanges = [r"amq\.default", re.escape(topology.RPC_EXCHANGE), r"linli\.retry\.[0-9]+"]
    exchanges += [re.escape(topology.EVENTS_EXCHANGE)] if emits else []
    queues = [re.escape(topology.rpc_queue(service)), rf"{re.escape(service)}\..*"]
    queues += [re.escape(topology.LOG_STREAM)] if follows_log else []
    return Access(NOTHING, _one_of(exchanges), _one_of(queues))


def observer_access() -> Access:
    """Any key of `linli.events` into server-named queues, and the log stream. It writes nothing
    that others read.
    """
    own = r"amq\.gen.*"
    events, log = re.escape(topology.EVENTS_EXCHANGE), re.escape(topology.LOG_STREAM)
    return Access(_one_of([own]), _one_of([own]), _one_of([own, events, log]))


def department_access(code: str) -> Access:
    """What begins with `<code>.` is the department's own, to read and to bind; of the events it
    may bind keys addressed to it.

    It declares nothing: a queue of any program's that refuses a message makes the broker refuse it
    to whoever publishes, and would hold up the events of everybody.

    Each word of the topic pattern is spelt `([a-z0-9_]+|\\*)`: `[^.]+` would admit `#`, and
    `ticket.#.v1.water.#` matches `ticket.filed.v1.roads.v1.water`. Only behind the department's
    own word is `#` harmless.
    """
    own = rf"{re.escape(code)}\..*"
    word = r"([a-z0-9_]+|\*)"
    keys = rf"^{DEPARTMENT_NOUN}\.{word}\.(v[0-9]+|\*)\.{re.escape(code)}(\.({word}|#))*$"
    return Access(
        configure=NOTHING,
        write=rf"^{re.escape(code)}\.",
        read=_one_of([own, re.escape(topology.EVENTS_EXCHANGE)]),
        topics={topology.EVENTS_EXCHANGE: (NOTHING, keys)},
    )


def department_account(code: str, password: str | None = None) -> Account:
    """The department's broker user as planned; without a password it keeps the one it has."""
    return Account(
        department_user(code),
        department_access(code),
        password,
        (DEPARTMENT_TAG,),
        DEPARTMENT_LIMITS,
    )


def department_policies(code: str) -> dict[str, dict[str, Any]]:
    """Limits on what a department that does not read can make the broker keep.

    Its granted queue loses the oldest events first and never disappears itself: events would be
    lost in silence. Further queues go when nobody has used them for a week.
    """
    name = re.escape(code)
    oldest_first = {"overflow": "drop-head"}
    events = {"max-length": 100_000, "max-length-bytes": 256 << 20, "message-ttl": 30 * DAY_MS}
    log = {"max-age": "30D", "max-length-bytes": 512 << 20}
    others = {"max-length": 10_000, "max-length-bytes": 64 << 20, "expires": 7 * DAY_MS}
    return {
        f"{code}.events": _policy(rf"^{name}\.events$", events | oldest_first, priority=20),
        f"{code}.log": _policy(rf"^{name}\.log$", log, priority=20),
        code: _policy(rf"^{name}\.", others | oldest_first, priority=10),
    }


def department_user(code: str) -> str:
    """The broker user of a department. Its hyphen keeps it apart from every code and every other
    user.
    """
    return f"department-{code}"


def grant(broker: Broker, code: str, password: str | None = None) -> str | None:
    """Give a department its user, permissions, limits and queues, and return the AMQP URI for it.

    Repeating it mends what is amiss and returns None: the password, kept as a hash, cannot be
    shown again. `password` sets one that the caller has chosen. Raises UnknownCode,
    ManagementError.
    """
    check_code(code)
    known = department_user(code) in broker.snapshot().users
    chosen = password or (None if known else secrets.token_urlsafe(24))
    with broker.connect() as connection:
        channel = connection.channel()
        for difference in department_differences(broker, broker.snapshot(), code, chosen):
            if difference.mend is None:
                raise NotGranted(str(difference))
            difference.mend(channel)
    return broker.uri_for(department_user(code), chosen) if chosen else None


def revoke(broker: Broker, code: str, *, delete_queues: bool = False) -> None:
    """Take the user away, which closes its connections; with `delete_queues` all it had on the
    broker as well.

    Raises UnknownCode, NotGranted, ManagementError.
    """
    _granted(broker, code)
    broker.management.delete("users", department_user(code))
    if not delete_queues:
        return
    snapshot = broker.snapshot()
    for kind, names in (("queues", snapshot.queues), ("exchanges", snapshot.exchanges)):
        for name in names:
            if name.startswith(f"{code}."):
                broker.management.delete(kind, broker.vhost, name)
    for name in department_policies(code):
        broker.management.delete("policies", broker.vhost, name)


def rotate(broker: Broker, code: str, password: str | None = None) -> str:
    """Give the department another password, close what was opened with the old one, and return the
    new AMQP URI.

    Raises UnknownCode, NotGranted, ManagementError.
    """
    _granted(broker, code)
    chosen = password or secrets.token_urlsafe(24)
    put_user(broker, department_account(code, chosen))
    broker.management.delete("connections", "username", department_user(code))
    return broker.uri_for(department_user(code), chosen)


def add_queue(broker: Broker, code: str, name: str) -> str:
    """Give a department a further queue and return its full name; the department binds it.

    Repeating it changes nothing. Raises UnknownCode, UnknownName, NotGranted, ManagementError.
    """
    _granted(broker, code)
    queue = topology.subscriber_extra(code, further_name(name))
    with broker.connect() as connection:
        declare_queue(connection.channel(), queue)
    return str(queue.name)


def remove_queue(broker: Broker, code: str, name: str) -> None:
    """Take a further queue away, with what it holds.

    Raises UnknownCode, UnknownName, NotGranted, NoSuchQueue, ManagementError.
    """
    _granted(broker, code)
    queue = topology.subscriber_extra(code, further_name(name)).name
    if queue not in broker.snapshot().queues:
        raise NoSuchQueue(f"{queue}: {NoSuchQueue.__doc__}")
    broker.management.delete("queues", broker.vhost, queue)


def granted_departments(snapshot: Snapshot) -> list[str]:
    """The codes of the departments that have access to this virtual host."""
    prefix = department_user("")
    here = {*snapshot.permissions, *(user for user, _ in snapshot.topic_permissions)}
    return sorted(
        name.removeprefix(prefix)
        for name, user in snapshot.users.items()
        if name in here and name.startswith(prefix) and DEPARTMENT_TAG in tags_of(user)
    )


def check_code(code: str) -> None:
    """Raises UnknownCode unless a department may be called so."""
    if not topology.CODE.fullmatch(code) or code in topology.RESERVED_CODES:
        raise UnknownCode(f"{code!r}: {UnknownCode.__doc__}")


def further_name(name: str) -> str:
    """The name; raises UnknownName unless a further queue may be called so."""
    granted = {topology.subscriber_queue(""), topology.subscriber_log("")}
    if not topology.CODE.fullmatch(name) or f".{name}" in granted:
        raise UnknownName(f"{name!r}: {UnknownName.__doc__}")
    return name


def department_differences(
    broker: Broker, snapshot: Snapshot, code: str, password: str | None = None
) -> Iterator[Difference]:
    """Where a department's user, permissions, policies, queues and bindings are not as granted."""
    yield from policy_differences(broker, snapshot, department_policies(code))
    yield from account_differences(broker, snapshot, department_account(code, password))
    for queue in topology.subscriber(code, DEPARTMENT_NOUN):
        yield from queue_differences(snapshot, queue)
        yield from binding_differences(snapshot, queue)
    yield from _forbidden_bindings(snapshot, code)


def _forbidden_bindings(snapshot: Snapshot, code: str) -> Iterator[Difference]:
    """Bindings made before the department's permissions were what they are; the broker checks a
    key only when it is bound.
    """
    _, allowed = department_access(code).topics[topology.EVENTS_EXCHANGE]
    for binding in sorted(snapshot.bindings):
        source, key, queue = binding
        own = source == topology.EVENTS_EXCHANGE and queue.startswith(f"{code}.")
        if own and not re.match(allowed, key):
            problem = f"bound with {key!r}, which is not {code}'s"
            yield Difference(f"queue {queue}", problem, partial(unbind, binding=binding))


def _granted(broker: Broker, code: str) -> None:
    check_code(code)
    if department_user(code) not in broker.snapshot().users:
        raise NotGranted(f"{code}: {NotGranted.__doc__}")


def _policy(pattern: str, definition: Mapping[str, Any], priority: int) -> dict[str, Any]:
    return {
        "pattern": pattern,
        "definition": dict(definition),
        "priority": priority,
        "apply-to": "queues",
    }


def _one_of(patterns: list[str]) -> str:
    return f"^({'|'.join(patterns)})$"
