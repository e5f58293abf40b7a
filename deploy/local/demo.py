"""Brings the demo community into a running system, over HTTP as anybody would, once."""

import hashlib
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

import requests

from deploy import permissions, settings
from deploy.local import demo_people, places
from deploy.local.demo_people import DEPARTMENTS, PEOPLE, Person
from deploy.local.environment import OBSERVER, Environment
from deploy.local.home import Home
from services.gateway.policy import SCOPES

ADMINISTRATOR = "administrator"
SUBSCRIBER = "water"
KEY_OF = "api_key_{}"
SUBSCRIBER_SCOPES = ["tickets:read", "tickets:write", "events:read"]
PATIENCE = 20.0
"""Seconds for what was written to one service to reach the others by event."""
CONFLICT, SERVICE_UNAVAILABLE = 409, 503


class Refused(RuntimeError):
    """The system refused what the demo needs."""


class Demo:
    """The demo community of one home."""

    def __init__(self, home: Home, environment: Environment) -> None:
        self._home = home
        self._environment = environment
        self._api = Api(environment.url)

    def provide(self) -> dict[str, object]:
        """Make the community unless it is there; returns the content of ready.json."""
        self._create_administrator()
        own = self._api.sign_in(ADMINISTRATOR, self._password(ADMINISTRATOR))["id"]
        if not self._api.accepts(self._home.known(KEY_OF.format(ADMINISTRATOR))):
            self._make(own)
        return {
            "url": self._environment.url,
            "amqp_uri": self._environment.broker_uri(OBSERVER),
            "sign_ins": self.sign_ins(),
            "api_key": self._home.known(KEY_OF.format(ADMINISTRATOR)),
            "departments": {
                SUBSCRIBER: {
                    "amqp_uri": self._department_access(),
                    "api_key": self._home.known(KEY_OF.format(SUBSCRIBER)),
                }
            },
            "sms_url": self._environment["LINLI_SMS_URL"].removesuffix("/messages"),
            "mail_url": self._environment.mail_url,
        }

    def sign_ins(self) -> dict[str, dict[str, str]]:
        """Login and password of everybody who has them, and a resident's phone."""
        logins = {name: person.login for name, person in PEOPLE.items() if person.login}
        people = {
            name: {"login": login, "password": self._password(name)}
            for name, login in {**logins, ADMINISTRATOR: ADMINISTRATOR}.items()
        }
        return {**people, "resident": {"phone": PEOPLE["resident"].phone}}

    def _create_administrator(self) -> None:
        """The first account cannot be made over HTTP: nobody could sign in to make it."""
        command = ["services.gateway.accounts", "create-administrator", "--login", ADMINISTRATOR]
        environ = self._environment.of_service("gateway")
        done = subprocess.run(
            [sys.executable, "-m", *command],
            env={**environ, "LINLI_PASSWORD": self._password(ADMINISTRATOR)},
            cwd=places.ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Refused(f"creating the administrator: {done.stderr[-600:]}")

    def _department_access(self) -> str:
        """The AMQP URI of the subscribing department, granted when it has no access yet."""
        broker = settings.broker(self._environment.of_operator())
        password = self._home.secret(f"amqp_department_{SUBSCRIBER}")
        if SUBSCRIBER not in permissions.granted_departments(broker.snapshot()):
            permissions.grant(broker, SUBSCRIBER, password)
        return broker.uri_for(permissions.department_user(SUBSCRIBER), password)

    def _make(self, administrator: str) -> None:
        for code, (zh, en) in demo_people.places().items():
            self._api.post("areas", {"code": code, "name": zh, "names": {"zh": zh, "en": en}})
        for code, (zh, en) in DEPARTMENTS.items():
            named = {"code": code, "name": zh, "names": {"zh": zh, "en": en}}
            self._api.post("departments", named)
        for name, person in PEOPLE.items():
            self._make_person(name, person)
        self._wait_for_roles()
        self._make_key(SUBSCRIBER, {"department": SUBSCRIBER}, SUBSCRIBER_SCOPES)
        # Last, for its being there says that all is.
        self._make_key(ADMINISTRATOR, {"person": administrator}, sorted(SCOPES))

    def _make_person(self, name: str, person: Person) -> None:
        body = {"name": person.name, "phone": person.phone}
        home = {} if person.role else {"area": demo_people.area(person)}
        made = self._api.post("residents", {**body, **home})["id"]
        if person.role:
            # The day is fixed, or the same duty would be another one tomorrow.
            duty = {"person": made, "role": person.role, "from": "2026-01-01"}
            self._api.post("duties", {**duty, **demo_people.scope(person)})
        if person.login:
            account = {"person": made, "login": person.login, "password": self._password(name)}
            self._api.post("accounts", account)

    def _make_key(self, name: str, owner: dict[str, str], scopes: list[str]) -> None:
        body = {"name": f"demo {name}", "owner": owner, "scopes": scopes}
        self._home.keep(KEY_OF.format(name), self._api.post("api-keys", body)["token"])

    def _wait_for_roles(self) -> None:
        """Until the gateway knows everybody's: it hears of duties by event."""
        deadline = time.monotonic() + PATIENCE
        for name, person in PEOPLE.items():
            while person.login and not self._has_role(name, person.login):
                if time.monotonic() > deadline:
                    raise Refused(f"{name} has no role after {PATIENCE:.0f} s")
                time.sleep(0.3)

    def _has_role(self, name: str, login: str) -> bool:
        roles = Api(self._environment.url).sign_in(login, self._password(name))["roles"]
        # Everybody is a resident besides.
        return any(held["role"] != "resident" for held in roles)

    def _password(self, name: str) -> str:
        return self._home.secret(f"password_{name}", lambda: f"linli-{secrets.token_hex(4)}")


def to_read(sign_ins: Mapping[str, Mapping[str, str]]) -> str:
    """The sign-ins as a person wants to read them."""
    lines = ["Sign in as"]
    for name, sign_in in sign_ins.items():
        how = sign_in.get("phone") or f"{sign_in['login']} / {sign_in['password']}"
        lines.append(f"  {name:15} {how}")
    return "\n".join(lines)


class Api:
    """The gateway's API as one signed-in actor sees it."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/api/v1"
        self._session = requests.Session()
        self._session.trust_env = False

    def sign_in(self, login: str, password: str) -> dict[str, Any]:
        """Act as this person from now on; returns who that is."""
        opened = self.post("sessions", {"login": login, "password": password})
        self._session.headers["Authorization"] = f"Bearer {opened['token']}"
        actor: dict[str, Any] = opened["actor"]
        return actor

    def accepts(self, token: str | None) -> bool:
        """Whether there is an API key, and it is good here."""
        headers = {"Authorization": f"Bearer {token}"}
        return self._session.get(f"{self._url}/sessions/current", headers=headers, timeout=10).ok

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Make something once: the key is made of what is asked for. Raises Refused."""
        content = json.dumps(body, ensure_ascii=False, sort_keys=True)
        key = hashlib.sha256(f"{path} {content}".encode()).hexdigest()
        headers = {} if path == "sessions" else {"Idempotency-Key": f"demo-{key}"}
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self._session.post(
                f"{self._url}/{path}", json=body, headers=headers, timeout=10
            )
            if answer.status_code != SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        if not answer.ok and answer.status_code != CONFLICT:
            raise Refused(f"POST {path}: {answer.status_code} {answer.text[:300]}")
        made: dict[str, Any] = answer.json()
        return made
