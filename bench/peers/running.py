"""Starting a peer on the servers of a Linli that runs: databases, a vhost and processes of its own,
the same places to file tickets about, and an API key.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import requests
from sqlalchemy import create_engine, func, insert, select
from sqlalchemy.pool import NullPool

from bench.ground import until
from bench.peers.domain import digest
from bench.peers.tables import ApiKey, Area, Gateway, Outbox, Ticket, Tickets
from deploy.databases import connect
from deploy.local.child import Child
from deploy.local.ports import free_port
from deploy.management import Management
from tests.stack.stack import Stack
from tests.stack.wire import channel

_DATABASES = {"gateway": Gateway, "tickets": Tickets}
_PARTS = ("gateway", "tickets", "relay")
_EVENTS, _LOG = "relay.events", "events.log"
"""The exchange is named as nameko's dispatcher names that of its service."""


@dataclass(frozen=True)
class Peer:
    """One that runs."""

    name: str
    url: str
    token: str
    children: Sequence[Child]
    database: str

    def pids(self) -> list[int]:
        """Its processes."""
        return [child.pid for child in self.children if child.pid is not None]

    def filed(self) -> int:
        """How many tickets it holds."""
        return self._count(Ticket)

    def left(self) -> int:
        """How many events it has not published."""
        return self._count(Outbox)

    def _count(self, table: type[Tickets]) -> int:
        engine = create_engine(self.database, poolclass=NullPool, use_native_hstore=False)
        with engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


@contextmanager
def running(name: str, stack: Stack) -> Iterator[Peer]:
    """The peer of this name (`modern`, `stock`), until the end of the block."""
    urls = {part: _database(stack, f"peer_{name}_{part}") for part in _DATABASES}
    token = f"peer-{uuid4().hex}"
    _fill(stack, urls, token)
    uri = _vhost(stack, f"peer_{name}")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        start = {"modern": _modern, "stock": _stock}[name]
        commands, environ = start(Path(folder), urls, uri, port)
        logs = stack.home.folder / "log"
        children = [
            Child(part, command, logs / f"{name}-{part}.log", {**os.environ, **environ})
            for part, command in commands.items()
        ]
        try:
            for child in children:
                child.start()
            peer = Peer(name, f"http://127.0.0.1:{port}", token, children, urls["tickets"])
            until(lambda: _answers(peer), lambda: "\n".join(map(Child.tail, children)), within=30)
            yield peer
        finally:
            for child in children:
                child.kill()


def _modern(
    _folder: Path, urls: Mapping[str, str], uri: str, port: int
) -> tuple[dict[str, list[str]], dict[str, str]]:
    python, module = [sys.executable, "-m"], "bench.peers.modern"
    uvicorn = ["uvicorn", f"{module}.gateway:app", "--port", str(port), "--no-access-log"]
    commands = {
        "gateway": [*python, *uvicorn, "--loop", "uvloop", "--http", "httptools"],
        **{part: [*python, f"{module}.{part}"] for part in _PARTS[1:]},
    }
    names = {f"{part.upper()}_DATABASE_URL": url for part, url in urls.items()}
    asynchronous = {name: url.replace("psycopg2", "asyncpg") for name, url in names.items()}
    return commands, {**asynchronous, "AMQP_URI": uri, "EVENTS_EXCHANGE": _EVENTS}


def _stock(
    folder: Path, urls: Mapping[str, str], uri: str, port: int
) -> tuple[dict[str, list[str]], dict[str, str]]:
    config: dict[str, Any] = {
        "AMQP_URI": uri,
        "WEB_SERVER_ADDRESS": f"127.0.0.1:{port}",
        "DB_URIS": {base.__name__: urls[part] for part, base in _DATABASES.items()},
        "LOGGING": {"version": 1, "root": {"level": "WARNING"}},
    }
    commands = {}
    for part, workers in zip(_PARTS, (64, 10, 1), strict=True):
        path = folder / f"{part}.yaml"  # Of which JSON is a part.
        path.write_text(json.dumps({**config, "max_workers": workers}))
        nameko = [sys.executable, "-m", "bench.peers.stock", "--config", str(path)]
        commands[part] = [*nameko, f"bench.peers.stock.{part}"]
    return commands, {"PYTHONWARNINGS": "ignore"}


def _database(stack: Stack, name: str) -> str:
    connection = connect(stack.postgres.url())
    try:
        connection.autocommit = True
        connection.cursor().execute(f"CREATE DATABASE {name}")
    finally:
        connection.close()
    return stack.postgres.url(name)


def _fill(stack: Stack, urls: Mapping[str, str], token: str) -> None:
    places = stack.rows("tickets", "SELECT code, name, level, path, routing FROM areas")
    key = {
        "id": uuid4(),
        "token_digest": digest(token.encode()),
        "owner": uuid4(),
        "scopes": ["tickets:read", "tickets:write"],
    }
    for part, (table, rows) in {"gateway": (ApiKey, [key]), "tickets": (Area, places)}.items():
        engine = create_engine(urls[part], poolclass=NullPool)
        with engine.begin() as connection:
            _DATABASES[part].metadata.create_all(connection)
            connection.execute(insert(table), rows)


def _vhost(stack: Stack, name: str) -> str:
    """A vhost with an exchange for events and a stream that keeps them, as Linli's log does."""
    management = Management(stack.rabbitmq.management_url)
    management.put("vhosts", name)
    uri = stack.rabbitmq.amqp_uri.rpartition("/")[0] + f"/{name}"
    with channel(uri) as declaring:
        declaring.exchange_declare(_EVENTS, "topic", durable=True, auto_delete=False)
        declaring.queue_declare(
            _LOG, durable=True, auto_delete=False, arguments={"x-queue-type": "stream"}
        )
        declaring.queue_bind(_LOG, _EVENTS, "#")
    return uri


def _answers(peer: Peer) -> bool:
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {peer.token}"
        try:
            return session.get(f"{peer.url}/api/v1/tickets", timeout=2).ok
        except requests.RequestException:
            return False
