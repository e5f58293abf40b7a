"""A client of the event stream that keeps a ledger and comes back with what it saw last, and a
stage to watch a gateway on: a virtual host and a database of its own.
"""

import base64
import json
import os
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import uuid4

import amqp
import requests
from kombu import Connection
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.orm import Session

from chassis import clock, migrate, topology
from chassis.events import CONTENT_TYPE
from chassis.ids import new_id
from chassis.testing import eventually
from chassis.testing.processes import ServiceProcess
from deploy import topology as plan
from services.gateway.keys import NewKey, make_key
from services.gateway.models import Account

GATEWAY = "services.gateway.service:GatewayService"


@dataclass
class Stage:
    """A broker's virtual host, a database, and ports for gateways."""

    rabbitmq: Any
    postgres: Any
    free_port: Any
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.amqp_uri = _virtual_host(self.rabbitmq)
        urls = self.postgres.create_service_database("gateway")
        user = str(make_url(urls["app_url"]).username)
        migrate.upgrade("services.gateway", urls["owner_url"], user)
        self.engine: Engine = create_engine(urls["app_url"])
        self.environ = {
            "LINLI_AMQP_URI": self.amqp_uri,
            "LINLI_DATABASE_URL_GATEWAY": urls["app_url"],
            "LINLI_SECRET": base64.b64encode(os.urandom(32)).decode(),
            "LINLI_WORKERS_GATEWAY": "8",
            **self.variables,
        }
        with Connection(self.amqp_uri) as connection:
            topology.declare(connection.channel(), plan.plan({}).queues())
        self.token = self._administrators_key()

    def close(self) -> None:
        self.engine.dispose()

    def gateway(self, **environ: str) -> "Gateway":
        return Gateway(self, self.free_port(), environ)

    def key(self, owner_kind: str, owner: str) -> str:
        new = NewKey("test", owner_kind, owner, ("events:read", "tickets:read"), "test")
        with Session(self.engine) as session, session.begin():
            return make_key(session, new, uuid4(), clock.now())[1]

    def publish(self, *numbers: int, **data: Any) -> None:
        """An event for each number, confirmed."""
        with Publisher(self.amqp_uri) as publisher:
            for number in numbers:
                publisher.publish(event(number, **data))

    def delete_stream(self) -> None:
        with Connection(self.amqp_uri) as connection:
            topology.log_stream()(connection.channel()).delete()

    def declare_stream(self) -> None:
        with Connection(self.amqp_uri) as connection:
            topology.declare(connection.channel(), [topology.log_stream()])

    def _administrators_key(self) -> str:
        person = uuid4()
        with Session(self.engine) as session, session.begin():
            session.add(
                Account(
                    id=new_id(),
                    login="a",
                    person=person,
                    password_hash="",
                    administrator=True,
                    command_id=new_id(),
                    created_at=clock.now(),
                )
            )
        return self.key("person", str(person))


class Gateway(ServiceProcess):
    """One gateway of a stage; entering the block waits until it answers."""

    def __init__(self, stage: Stage, port: int, environ: dict[str, str]) -> None:
        super().__init__(GATEWAY, {**stage.environ, "LINLI_HTTP_PORT": str(port), **environ})
        self.url = f"http://127.0.0.1:{port}"
        self.stage = stage
        self.token = stage.token

    def __enter__(self) -> Self:
        super().__enter__()
        try:
            eventually(lambda: self.ready, within=30)
        except BaseException:
            self.__exit__()
            raise
        return self

    @property
    def ready(self) -> bool:
        assert self.running, self.log
        try:
            answer = requests.get(f"{self.url}/readyz", timeout=2)
        except requests.ConnectionError:
            return False
        return bool(answer.json()["status"] == "ready")

    def get(self, path: str = "", token: str | None = None, **query: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        url = f"{self.url}/api/v1/events{path}"
        return requests.get(url, params=query, headers=headers, timeout=10)

    def pages(self, token: str | None = None, **query: Any) -> list[dict[str, Any]]:
        """All events from `after` on, page by page."""
        found, more = [], True
        while more:
            page = self.get(token=token, **query).json()
            found += page["items"]
            more = page["next"] is not None
            query["after"] = page["next"]
        return found


class EventSource:
    """Follows the stream in a thread, for as long as the block lasts; `seen` is its ledger of
    (cursor, event), `refused` what made it give up.
    """

    def __init__(self, gateway: Gateway, after: str | None = None, **query: Any) -> None:
        token = query.pop("token", gateway.token)
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        self._url = f"{gateway.url}/api/v1/events/stream"
        self._query = query
        self.last = after
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.connections = 0
        self.refused: tuple[int, Any] | None = None
        self._leaving = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        eventually(lambda: self.last is not None or self.refused is not None, within=20)
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving = True
        self._thread.join(30)

    @property
    def numbers(self) -> list[int]:
        return [event["data"]["n"] for _, event in self.seen]

    def _run(self) -> None:
        while not self._leaving and self.refused is None:
            try:
                self._listen()
            except requests.RequestException:
                time.sleep(0.05)

    def _listen(self) -> None:
        headers = dict(self._headers)
        if self.last:
            headers["Last-Event-ID"] = self.last
        with requests.get(
            self._url, params=self._query, headers=headers, stream=True, timeout=(2, 1)
        ) as response:
            if response.status_code == 503:
                time.sleep(0.1)
                return
            if response.status_code != 200:
                self.refused = (response.status_code, response.json())
                return
            self.connections += 1
            self._read(response)

    def _read(self, response: requests.Response) -> None:
        cursor, data = None, []
        for line in response.iter_lines(chunk_size=1, decode_unicode=True):
            if self._leaving:
                return
            name, _, value = line.partition(": ")
            if name == "id":
                cursor = value
            elif name == "data":
                data.append(value)
            elif not line and cursor:
                self.last = cursor
                if data:
                    self.seen.append((cursor, json.loads("\n".join(data))))
                cursor, data = None, []


class Publisher:
    """Publishes events as a relay does."""

    def __init__(self, uri: str) -> None:
        parts = make_url(uri)
        self._connection = amqp.Connection(
            host=f"{parts.host}:{parts.port}",
            userid=parts.username,
            password=parts.password,
            virtual_host=parts.database,
            confirm_publish=True,
        )

    def __enter__(self) -> Self:
        self._connection.connect()
        self._channel = self._connection.channel()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def publish(self, body: str | bytes, key: str = "ticket.assigned.v1.water.340603.008") -> None:
        message = amqp.Message(body, content_type=CONTENT_TYPE, delivery_mode=2)
        self._channel.basic_publish(message, topology.EVENTS_EXCHANGE, key, mandatory=True)


def event(number: int, **data: Any) -> str:
    """An event as tickets tells it, in its number and whom it concerns."""
    told = {"n": number, "area": "340603008002.e1.g1", "department": "water"}
    return json.dumps(
        {
            "specversion": "1.0",
            "id": str(new_id()),
            "type": "linli.tickets.ticket_assigned.v1",
            "source": "/tickets",
            "subject": str(uuid4()),
            "time": clock.iso(clock.now()),
            "sequence": f"{number:010d}",
            "data": {**told, "visibility": "private", **data},
        }
    )


def _virtual_host(rabbitmq: Any) -> str:
    """A new virtual host; the URI of its administrator."""
    name, api = f"stage-{uuid4()}", make_url(rabbitmq.management_url)
    base = f"http://{api.host}:{api.port}/api"
    who = (str(api.username), str(api.password))
    all_of_it = {"configure": ".*", "write": ".*", "read": ".*"}
    requests.put(f"{base}/vhosts/{name}", auth=who, timeout=10).raise_for_status()
    user = urllib.parse.quote(who[0])
    requests.put(
        f"{base}/permissions/{name}/{user}", auth=who, json=all_of_it, timeout=10
    ).raise_for_status()
    return str(rabbitmq.amqp_uri).rpartition("/")[0] + f"/{name}"
