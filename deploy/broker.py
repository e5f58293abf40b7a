"""One virtual host of a RabbitMQ as its administrator sees it: connections, what it holds, and
where that is not as planned.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from kombu.connection import Connection

from deploy.management import Management

CONNECT_SECONDS = 5


@dataclass(frozen=True)
class Broker:
    """Where the virtual host is reached, by an administrator's account."""

    amqp_uri: str = field(repr=False)
    management_url: str = field(repr=False)

    @cached_property
    def management(self) -> Management:
        return Management(self.management_url)

    @property
    def vhost(self) -> str:
        """`amqp://u:p@host:5672/linli` → `linli`; no path, or an empty one, is the default `/`."""
        return unquote(urlsplit(self.amqp_uri).path[1:]) or "/"

    @property
    def user(self) -> str:
        return account_of(self.amqp_uri)[0]

    def connect(self) -> Connection:
        """An AMQP connection, for the caller to close."""
        return Connection(self.amqp_uri, connect_timeout=CONNECT_SECONDS)

    def uri_for(self, user: str, password: str) -> str:
        """The AMQP URI by which another user reaches the same virtual host."""
        parts = urlsplit(self.amqp_uri)
        account = f"{quote(user, safe='')}:{quote(password, safe='')}"
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, f"{account}@{host}", parts.path, parts.query, ""))

    def snapshot(self) -> "Snapshot":
        """All definitions at this moment; raises ManagementError."""
        return Snapshot(self.vhost, self.management.get("definitions"))


@dataclass(frozen=True)
class Snapshot:
    """The broker's definitions, of one virtual host where they belong to one."""

    vhost: str
    definitions: Mapping[str, list[dict[str, Any]]] = field(repr=False)

    @cached_property
    def queues(self) -> dict[str, dict[str, Any]]:
        return {queue["name"]: queue for queue in self._of("queues")}

    @cached_property
    def exchanges(self) -> dict[str, dict[str, Any]]:
        return {exchange["name"]: exchange for exchange in self._of("exchanges")}

    @cached_property
    def bindings(self) -> set[tuple[str, str, str]]:
        """Every binding to a queue: source exchange, key, queue."""
        return {
            (item["source"], item["routing_key"], item["destination"])
            for item in self._of("bindings")
            if item["destination_type"] == "queue"
        }

    @cached_property
    def policies(self) -> dict[str, dict[str, Any]]:
        return {policy["name"]: policy for policy in self._of("policies")}

    @cached_property
    def permissions(self) -> dict[str, dict[str, Any]]:
        return {item["user"]: item for item in self._of("permissions")}

    @cached_property
    def topic_permissions(self) -> dict[tuple[str, str], dict[str, Any]]:
        """By user and exchange."""
        return {(item["user"], item["exchange"]): item for item in self._of("topic_permissions")}

    @cached_property
    def users(self) -> dict[str, dict[str, Any]]:
        return {user["name"]: user for user in self.definitions["users"]}

    def _of(self, kind: str) -> list[dict[str, Any]]:
        return [item for item in self.definitions[kind] if item["vhost"] == self.vhost]


@dataclass(frozen=True)
class Difference:
    """One thing on the broker that is not as planned. `mend` takes an AMQP channel and puts it
    right; None: an operator must.
    """

    subject: str
    problem: str
    mend: Callable[[Any], None] | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.subject}: {self.problem}"


def account_of(amqp_uri: str) -> tuple[str, str]:
    """User and password of an AMQP URI."""
    parts = urlsplit(amqp_uri)
    return unquote(parts.username or ""), unquote(parts.password or "")
