"""What the broker refuses a department's user: attempts that were thought of."""

import secrets
from dataclasses import dataclass
from typing import Any

import amqp
import pytest
import requests
from amqp.exceptions import AccessRefused, NotAllowed
from kombu import Connection

from chassis.testing import eventually
from deploy import permissions
from tests.integration.bus.wire import CONSUMER, channel_of, count


@dataclass
class Attacker:
    """Water's channel, its code, and the code of a department that it has no business with."""

    channel: Any
    code: str
    other: str
    uri: str

    def bind(self, key, queue=None):
        self.channel.queue_bind(queue or f"{self.code}.events", "linli.events", key)

    def publish(self, exchange, key, **headers):
        body = amqp.Message("{}", application_headers=headers)
        self.channel.basic_publish(body, exchange, key)
        self.channel.basic_qos(0, 1, False)  # asks something, so that a refusal is heard

    def declare(self, name, **arguments):
        self.channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments)


@pytest.fixture(scope="module")
def departments(broker):
    """Two departments that have access: their codes, and the URI of the first."""
    codes = [f"{name}_{secrets.token_hex(3)}" for name in ("water", "roads")]
    uris = [permissions.grant(broker, code) for code in codes]
    yield *codes, uris[0]
    for code in codes:
        permissions.revoke(broker, code, delete_queues=True)


@pytest.fixture
def attacker(departments):
    code, other, uri = departments
    with channel_of(uri) as channel:
        yield Attacker(channel, code, other, uri)


BINDINGS = {
    "everything": "#",
    "every ticket": "ticket.#",
    "everything by single words": "*.*.*.*.*",
    "any department": "ticket.*.v1.*.#",
    "its own word anywhere": "ticket.#.v1.{own}.#",
    "its own word behind any": "ticket.*.#.{own}.#",
    "its own word last": "#.{own}",
    "its own word in the place": "ticket.*.v1.{other}.{own}.#",
    "any noun": "*.*.v1.{own}.#",
    "another department": "ticket.*.v1.{other}.#",
    "another department and itself": "ticket.*.v1.{other}.{own}",
    "tickets of no department": "ticket.*.v1.none.#",
    "areas": "area.*.v1.{own}.#",
    "residents": "resident.registered.v1.#",
    "a version that takes more": "ticket.*.#.{own}",
    "an event that takes more": "ticket.#.{own}.#",
    "a longer code": "ticket.*.v1.{own}x.#",
    "a key with a line break": "ticket.*.v1.{other}\n.v1.{own}.#",
    "no key at all": "",
}


@pytest.mark.parametrize("key", BINDINGS.values(), ids=BINDINGS)
def test_it_may_not_bind(attacker, key):
    with pytest.raises(AccessRefused):
        attacker.bind(key.format(own=attacker.code, other=attacker.other))


OTHERS_QUEUES = {
    "another department's queue": "{other}.events",
    "another department's log": "{other}.log",
    "a service's queue": CONSUMER,
    "a service's dead letters": f"{CONSUMER}.dead",
    "a service's requests": "rpc-tickets",
    "the log of everything": "linli.events.log",
    "what waits to be tried again": "linli.retry.1000",
}


@pytest.mark.parametrize("queue", OTHERS_QUEUES.values(), ids=OTHERS_QUEUES)
@pytest.mark.parametrize("act", ["consume", "get", "purge", "delete", "bind"])
def test_it_may_not_touch_queues_of_others(attacker, act, queue):
    name = queue.format(other=attacker.other)
    channel = attacker.channel
    channel.basic_qos(0, 1, False)
    acts = {
        "consume": lambda: channel.basic_consume(name),
        "get": lambda: channel.basic_get(name),
        "purge": lambda: channel.queue_purge(name),
        "delete": lambda: channel.queue_delete(name),
        "bind": lambda: attacker.bind(f"ticket.*.v1.{attacker.code}.#", queue=name),
    }

    with pytest.raises(AccessRefused):
        acts[act]()


PUBLISHING = {
    "an event of its own ticket": ("linli.events", "ticket.resolved.v1.{own}.340603"),
    "an event of another's ticket": ("linli.events", "ticket.resolved.v1.{other}.340603"),
    "a command": ("nameko-rpc", "tickets.file_ticket"),
    "into a service's queue": ("", CONSUMER),
    "into its own queue, round the exchange": ("", "{own}.events"),
    "into a service's requests": ("", "rpc-tickets"),
    "a retry": ("linli.retry.1000", CONSUMER),
    "into the log": ("", "linli.events.log"),
    "to everybody's topic exchange": ("amq.topic", "x"),
    "to everybody's fanout exchange": ("amq.fanout", "x"),
}


@pytest.mark.parametrize(("exchange", "key"), PUBLISHING.values(), ids=PUBLISHING)
def test_it_may_not_publish(attacker, exchange, key):
    with pytest.raises(AccessRefused):
        attacker.publish(exchange, key.format(own=attacker.code, other=attacker.other))


OTHER_ATTEMPTS = {
    "declare a queue of another's name": lambda a: a.declare(f"{a.other}.mine"),
    "declare a queue of a service's name": lambda a: a.declare("tickets.on_everything"),
    "declare a queue of its own name": lambda a: a.declare(f"{a.code}.mine"),
    "declare a queue the server names": lambda a: a.declare(""),
    "hold up everybody with a queue that refuses": lambda a: a.declare(
        f"{a.code}.full", **{"x-max-length": 0, "x-overflow": "reject-publish"}
    ),
    "fill the disk with a stream": lambda a: a.declare(
        f"{a.code}.stream", **{"x-queue-type": "stream"}
    ),
    "let dead letters become commands": lambda a: a.declare(
        f"{a.code}.q",
        **{"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "rpc-tickets"},
    ),
    "declare an exchange": lambda a: a.channel.exchange_declare(
        f"{a.code}.mine", "fanout", durable=True, auto_delete=False
    ),
    "delete the queue that it was granted": lambda a: a.channel.queue_delete(f"{a.code}.events"),
    "delete the events exchange": lambda a: a.channel.exchange_delete("linli.events"),
    "delete the commands exchange": lambda a: a.channel.exchange_delete("nameko-rpc"),
    "listen to commands": lambda a: a.channel.queue_bind(f"{a.code}.events", "nameko-rpc", "#"),
    "listen to retries": lambda a: a.channel.queue_bind(f"{a.code}.events", "linli.retry.1000"),
    "listen to the tracer": lambda a: a.channel.queue_bind(
        f"{a.code}.events", "amq.rabbitmq.trace", "#"
    ),
    "unbind another's queue": lambda a: a.channel.queue_unbind(
        f"{a.other}.events", "linli.events", f"ticket.*.v1.{a.other}.#"
    ),
    "unbind the log": lambda a: a.channel.queue_unbind("linli.events.log", "linli.events", "#"),
}


@pytest.mark.parametrize("attempt", OTHER_ATTEMPTS.values(), ids=OTHER_ATTEMPTS)
def test_it_may_not(attacker, attempt):
    with pytest.raises(AccessRefused):
        attempt(attacker)


def test_it_may_not_enter_another_virtual_host(attacker, rabbitmq):
    elsewhere = attacker.uri.rpartition("/")[0] + "/" + rabbitmq.amqp_uri.rpartition("/")[2]

    with Connection(elsewhere) as connection, pytest.raises(NotAllowed):
        connection.connect()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "queues"),
        ("GET", "definitions"),
        ("GET", "connections"),
        ("PUT", "permissions/%2F/{user}"),
        ("PUT", "policies/%2F/mine"),
        ("DELETE", "users/{user}"),
    ],
)
def test_it_may_not_use_the_management_api(attacker, rabbitmq, method, path):
    address = rabbitmq.management_url.rpartition("@")[2]
    user = permissions.department_user(attacker.code)
    password = Connection(attacker.uri).password

    answer = requests.request(
        method,
        f"http://{address}/api/{path.format(user=user)}",
        auth=(user, password),
        json={},
        timeout=10,
    )

    assert answer.status_code == 401


def test_it_may_not_open_connections_without_end(attacker):
    beyond = permissions.DEPARTMENT_LIMITS["max-connections"] + 1
    opened = [Connection(attacker.uri) for _ in range(beyond)]
    try:
        with pytest.raises(NotAllowed):
            _connect(opened)
    finally:
        for each in opened:
            each.release()


def _connect(connections):
    for each in connections:
        each.connect()


def test_its_further_queues_hold_no_more_than_their_limit(attacker, broker, channel):
    megabyte = 1 << 20
    policy = permissions.department_policies(attacker.code)[attacker.code]
    limit = policy["definition"]["max-length-bytes"] // megabyte
    queue = permissions.add_queue(broker, attacker.code, "mine")

    for _ in range(limit + 5):
        channel.basic_publish(amqp.Message(b"x" * megabyte), "", queue)

    eventually(lambda: count(attacker.channel, queue) == limit)


def test_what_it_may_not_do_changes_nothing(attacker, channel):
    with pytest.raises(AccessRefused):
        attacker.publish("linli.events", f"ticket.resolved.v1.{attacker.other}.340603")

    assert count(channel, f"{attacker.other}.events") == 0
