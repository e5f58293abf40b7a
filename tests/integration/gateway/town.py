"""A whole system as clients see it: four services, their servers, a stand-in for the SMS provider,
and people.
"""

import base64
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import requests
from kombu import Connection
from sqlalchemy import make_url

from chassis import migrate, topology
from chassis.testing import eventually
from chassis.testing.processes import ServiceProcess
from deploy import topology as plan
from tests.integration.gateway import contract
from tests.stack.clients import a_word

COMMUNITY = "340603008002"
BUILDING = f"{COMMUNITY}.e1.g1.b1"
ADMINISTRATOR = ("administrator", "a long enough password")
SERVICES = {
    "residents": "services.residents.service:ResidentsService",
    "tickets": "services.tickets.service:TicketsService",
    "notifications": "services.notifications.service:NotificationsService",
    "gateway": "services.gateway.service:GatewayService",
}
SMS_TOKEN = "integration"


def environment(rabbitmq: Any, postgres: Any, http_port: int, sms_url: str) -> dict[str, str]:
    """Migrated databases, a declared topology, and the variables that lead the services there."""
    environ = {
        "LINLI_AMQP_URI": rabbitmq.amqp_uri,
        "LINLI_HTTP_PORT": str(http_port),
        "LINLI_SECRET": base64.b64encode(os.urandom(32)).decode(),
        "LINLI_MASTER_KEYS": f"k1:{base64.b64encode(os.urandom(32)).decode()}",
        "LINLI_BLIND_INDEX_KEY": base64.b64encode(os.urandom(32)).decode(),
        "LINLI_SMS_URL": sms_url,
        "LINLI_SMS_TOKEN": SMS_TOKEN,
        "LINLI_WEBHOOK_KEY": base64.b64encode(os.urandom(32)).decode(),
        "LINLI_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
        # Tests are run at night, too.
        "LINLI_QUIET_HOURS": "none",
        "LINLI_CODES_PER_PHONE": "1000",
        "LINLI_CORS_ORIGINS": "https://pages.example",
    }
    for service in SERVICES:
        urls = postgres.create_service_database(service)
        user = make_url(urls["app_url"]).username
        migrate.upgrade(f"services.{service}", urls["owner_url"], user)
        environ[f"LINLI_DATABASE_URL_{service.upper()}"] = urls["app_url"]
    with Connection(rabbitmq.amqp_uri) as connection:
        topology.declare(connection.channel(), plan.plan({}).queues())
    return environ


class Client:
    """One caller of the API; `token` makes it somebody."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Accept-Language"] = "en"
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Any request; `path` is under /api/v1 unless it begins with a slash."""
        where = path if path.startswith("/") else f"/api/v1/{path}"
        answer = self._session.request(method, self.url + where, timeout=15, **options)
        contract.check(method, where, answer)
        return answer

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        return self.request("POST", path, json=body, **options)

    def patch(self, path: str, body: Any, **options: Any) -> requests.Response:
        return self.request("PATCH", path, json=body, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:
        return self.request("DELETE", path, **options)

    def make(self, path: str, body: Any, **options: Any) -> Any:
        """POST that must succeed, sent again under its key as long as a busy machine makes it 503;
        its answer.
        """
        headers = {"Idempotency-Key": str(uuid4()), **options.pop("headers", {})}

        def answered() -> list[requests.Response]:
            answer = self.post(path, body, headers=headers, **options)
            return [answer] if answer.status_code != 503 else []

        [answer] = eventually(answered)
        assert answer.ok, (path, answer.status_code, answer.text)
        return answer.json()

    def move(self, ticket: dict[str, Any], name: str, body: Any = None) -> dict[str, Any]:
        """A move of a ticket that must succeed; the ticket afterwards."""
        headers = {"If-Match": f'"{ticket["version"]}-x"'}
        return self.make(f"tickets/{ticket['id']}/{name}", body or {}, headers=headers)

    def close(self) -> None:
        self._session.close()


@dataclass
class Town:
    """The running system and the people in it, each with a session."""

    url: str
    environ: dict[str, str]
    processes: dict[str, ServiceProcess]
    sms_url: str
    people: dict[str, Client] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    _clients: list[Client] = field(default_factory=list)

    def client(self, token: str | None = None) -> Client:
        """A new caller."""
        client = Client(self.url, token)
        self._clients.append(client)
        return client

    @property
    def nobody(self) -> Client:
        """Somebody without a session."""
        return self.client()

    def __getattr__(self, name: str) -> Client:
        try:
            return self.__dict__["people"][name]
        except KeyError:
            raise AttributeError(name) from None

    def found(self) -> None:
        """Make places, departments and people, as a new installation would."""
        self._make_administrator()
        admin = self.people["administrator"]
        for code, name in _places():
            admin.make("areas", {"code": code, "name": name})
        for code in ("water", "roads"):
            admin.make("departments", {"code": code, "name": code})
        self._staff("clerk", area=COMMUNITY)
        self._staff("secretary", area=COMMUNITY)
        self._staff("grid_worker", area=f"{COMMUNITY}.e1.g1")
        self._staff("water_clerk", role="department_clerk", department="water")
        self._staff("roads_clerk", role="department_clerk", department="roads")
        self.arrive("resident", "13800000001")
        self.arrive("neighbour", "13800000002")
        eventually(self._is_known, within=20)

    def arrive(self, name: str, phone: str) -> Client:
        """Sign somebody in by phone, who is `people[name]` from now on."""
        opened = self.sign_in(phone)
        self.ids[name] = opened["actor"]["id"]
        self.people[name] = self.client(opened["token"])
        return self.people[name]

    def sign_in(self, phone: str) -> dict[str, Any]:
        """Ask for a code, read it off the phone, sign in with it."""
        before = len(self.texts(phone))
        answer = self.nobody.post("sessions/codes", {"phone": phone})
        assert answer.status_code == 202, answer.text
        return self.nobody.make("sessions", {"phone": phone, "code": self.code(phone, before)})

    def code(self, phone: str, before: int = 0) -> str:
        """The code in the newest text to a phone, once there are more than `before`."""
        eventually(lambda: len(self.texts(phone)) > before)
        codes = [re.search(r"\b\d{6}\b", text) for text in self.texts(phone)]
        return [found[0] for found in codes if found][-1]

    def texts(self, phone: str) -> list[str]:
        """What was sent to a phone, oldest first."""
        answer = requests.get(f"{self.sms_url}/messages", params={"to": phone}, timeout=5).json()
        return [message["text"] for message in answer["items"]]

    def file(self, client: Client, **fields: Any) -> dict[str, Any]:
        """A ticket filed by somebody."""
        return client.make("tickets", request(**fields))

    def key(self, owner: dict[str, str], *scopes: str) -> Client:
        """A program with an API key."""
        body = {"name": "test", "owner": owner, "scopes": list(scopes)}
        return self.client(self.people["administrator"].make("api-keys", body)["token"])

    def close(self) -> None:
        for client in self._clients:
            client.close()

    def _make_administrator(self) -> None:
        login, password = ADMINISTRATOR
        command = ["deploy.cli", "users", "add-administrator", "--login", login]
        subprocess.run(
            [sys.executable, "-m", *command],
            env={**os.environ, **self.environ, "LINLI_PASSWORD": password},
            check=True,
            capture_output=True,
        )
        body = {"login": login, "password": password}
        opened = eventually(lambda: _opened(self.nobody, body), within=30)
        self.ids["administrator"] = opened["actor"]["id"]
        self.people["administrator"] = self.client(opened["token"])

    def _staff(self, name: str, role: str | None = None, **where: str) -> None:
        admin, login = self.people["administrator"], f"{name}.login"
        person = admin.make("residents", {"name": f"Staff {name}"})["id"]
        duty = {"person": person, "role": role or name, "from": "2026-01-01", **where}
        admin.make("duties", duty)
        password = {"login": login, "password": f"password of {name}"}
        admin.make("accounts", {"person": person, **password})
        self.ids[name] = person
        self.people[name] = self.client(self.nobody.make("sessions", password)["token"])

    def _is_known(self) -> bool:
        """Whether the events of all this have reached gateway and tickets."""
        for name in ("clerk", "secretary", "grid_worker", "water_clerk", "roads_clerk"):
            roles = self.people[name].get("sessions/current").json()["actor"]["roles"]
            if len(roles) < 2:
                return False
        filed = self.people["resident"].post("tickets", request())
        if not filed.ok:
            return False
        ticket = self.people["clerk"].move(filed.json(), "acceptance")
        headers = {"If-Match": f'"{ticket["version"]}-x"'}
        path = f"tickets/{ticket['id']}/assignment"
        return self.people["clerk"].post(path, {"department": "roads"}, headers=headers).ok


def request(**fields: Any) -> dict[str, Any]:
    """The body of a filing."""
    return {
        "kind": "request",
        "category": "water.burst_pipe",
        "description": f"A pipe leaks ({a_word()})",
        "area": BUILDING,
        "channel": "page",
        "visibility": "private",
        **fields,
    }


def _opened(client: Client, body: dict[str, str]) -> Any:
    try:
        answer = client.post("sessions", body)
    except requests.ConnectionError:
        return None
    return answer.json() if answer.status_code == 201 else None


def _places() -> list[tuple[str, str]]:
    codes = ["340603000000", "340603008000", COMMUNITY]
    codes += [f"{COMMUNITY}.{below}" for below in ("e1", "e1.g1", "e1.g1.b1", "e1.g2", "e2")]
    return [(code, f"地方 {code}") for code in codes]
