"""Broker users and policies as planned, and where the broker's differ."""

import base64
import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from deploy.broker import Broker, Difference, Snapshot


class NoPassword(Exception):
    """A user that does not exist yet needs a password."""


@dataclass(frozen=True)
class Access:
    """RabbitMQ's three patterns, and for topic exchanges a pair: keys that may be published, keys
    that may be bound.
    """

    configure: str
    write: str
    read: str
    topics: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Account:
    """A broker user as planned; without a password the one it has is kept."""

    user: str
    access: Access
    password: str | None = field(default=None, repr=False)
    tags: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)


def account_differences(
    broker: Broker, snapshot: Snapshot, account: Account
) -> Iterator[Difference]:
    """Where a user, its permissions, topic permissions and limits are not as planned."""
    user = snapshot.users.get(account.user)
    subject = f"user {account.user}"
    if user is None:
        yield Difference(subject, "missing", lambda _: put_user(broker, account))
    elif account.password and not _password_is(user, account.password):
        yield Difference(subject, "another password", lambda _: put_user(broker, account))
    elif tags_of(user) != set(account.tags):
        yield Difference(subject, "other tags", lambda _: put_user(broker, account, user))
    # Topics first: a user with permissions and no topic permissions may bind any key.
    yield from _topic_differences(broker, snapshot, account)
    yield from _permission_differences(broker, snapshot, account)
    for limit, value in account.limits.items():
        if user is None or user.get("limits", {}).get(limit) != value:
            put = _putting(broker, "user-limits", account.user, limit, body={"value": value})
            yield Difference(f"{subject} {limit}", "differs", put)


def policy_differences(
    broker: Broker, snapshot: Snapshot, policies: Mapping[str, Mapping[str, Any]]
) -> Iterator[Difference]:
    """Where policies are not as planned."""
    for name, policy in policies.items():
        held = snapshot.policies.get(name, {})
        if {key: held.get(key) for key in policy} != policy:
            put = _putting(broker, "policies", broker.vhost, name, body=policy)
            yield Difference(f"policy {name}", _missing_or_differs(held), put)


def put_user(broker: Broker, account: Account, held: Mapping[str, Any] | None = None) -> None:
    """Write the user, with the password that is planned or else the one `held`."""
    if account.password:
        password = {"password": account.password}
    elif held:
        password = {key: held[key] for key in ("password_hash", "hashing_algorithm")}
    else:
        raise NoPassword(f"{account.user}: {NoPassword.__doc__}")
    body = {**password, "tags": ",".join(account.tags)}
    broker.management.put("users", account.user, body=body)


def tags_of(user: Mapping[str, Any]) -> set[str]:
    """A list, or before RabbitMQ 3.9 a comma-separated text."""
    tags = user["tags"]
    return set(tags.split(",") if isinstance(tags, str) else tags) - {""}


def _permission_differences(
    broker: Broker, snapshot: Snapshot, account: Account
) -> Iterator[Difference]:
    access = account.access
    wanted = {"configure": access.configure, "write": access.write, "read": access.read}
    held = snapshot.permissions.get(account.user, {})
    if {key: held.get(key) for key in wanted} != wanted:
        put = _putting(broker, "permissions", broker.vhost, account.user, body=wanted)
        yield Difference(f"permissions of {account.user}", _missing_or_differs(held), put)


def _topic_differences(
    broker: Broker, snapshot: Snapshot, account: Account
) -> Iterator[Difference]:
    for exchange, (write, read) in account.access.topics.items():
        wanted = {"exchange": exchange, "write": write, "read": read}
        held = snapshot.topic_permissions.get((account.user, exchange), {})
        if {key: held.get(key) for key in wanted} != wanted:
            put = _putting(broker, "topic-permissions", broker.vhost, account.user, body=wanted)
            subject = f"topic permissions of {account.user}"
            yield Difference(subject, _missing_or_differs(held), put)


def _putting(broker: Broker, *path: str, body: Mapping[str, Any]) -> Callable[[Any], None]:
    return lambda _channel: broker.management.put(*path, body=body)


def _password_is(user: Mapping[str, Any], password: str) -> bool:
    """RabbitMQ keeps four bytes of salt and the digest of salt and password, in base64."""
    algorithm = user["hashing_algorithm"].rpartition("_")[2]
    kept = base64.b64decode(user["password_hash"])
    digest = hashlib.new(algorithm, kept[:4] + password.encode()).digest()
    return secrets.compare_digest(kept[4:], digest)


def _missing_or_differs(held: Mapping[str, Any]) -> str:
    return "differs" if held else "missing"
