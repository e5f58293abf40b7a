"""Brings the demo community into a running system, over HTTP as anybody would, once."""

import hashlib
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

from deploy import permissions, settings
from deploy.api import PATIENCE, Api, Refused
from deploy.local import demo_people, places
from deploy.local.demo_people import DEPARTMENTS, PEOPLE, Person
from deploy.local.environment import OBSERVER, Environment
from deploy.local.home import Home
from services.gateway.policy import SCOPES

ADMINISTRATOR = "administrator"
SUBSCRIBER = "water"
KEY_OF = "api_key_{}"
SUBSCRIBER_SCOPES = [
    "tickets:read", "tickets:write", "events:read", "webhooks:read", "webhooks:write",
]  # fmt: skip
CONFLICT = 409


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
        command = ["deploy.cli", "users", "add-administrator", "--login", ADMINISTRATOR]
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
            raise RuntimeError(f"creating the administrator: {done.stderr[-600:]}")

    def _department_access(self) -> str:
        """The AMQP URI of the subscribing department, granted when it has no access yet."""
        broker = settings.broker(self._environment.of_operator())
        password = self._home.secret(f"amqp_department_{SUBSCRIBER}")
        if SUBSCRIBER not in permissions.granted_departments(broker.snapshot()):
            permissions.grant(broker, SUBSCRIBER, password)
        return broker.uri_for(permissions.department_user(SUBSCRIBER), password)

    def _make(self, administrator: str) -> None:
        for code, (zh, en) in demo_people.places().items():
            self._once("areas", {"code": code, "name": zh, "names": {"zh": zh, "en": en}})
        for code, (zh, en) in DEPARTMENTS.items():
            named = {"code": code, "name": zh, "names": {"zh": zh, "en": en}}
            self._once("departments", named)
        for name, person in PEOPLE.items():
            self._make_person(name, person)
        self._wait_for_roles()
        self._make_key(SUBSCRIBER, {"department": SUBSCRIBER}, SUBSCRIBER_SCOPES)
        # Last, for its being there says that all is.
        self._make_key(ADMINISTRATOR, {"person": administrator}, sorted(SCOPES))

    def _make_person(self, name: str, person: Person) -> None:
        body = {"name": person.name, "phone": person.phone}
        home = {} if person.role else {"area": demo_people.area(person)}
        made = self._once("residents", {**body, **home})["id"]
        if person.role:
            # The day is fixed, or the same duty would be another one tomorrow.
            duty = {"person": made, "role": person.role, "from": "2026-01-01"}
            self._once("duties", {**duty, **demo_people.scope(person)})
        if person.login:
            account = {"person": made, "login": person.login, "password": self._password(name)}
            self._once("accounts", account)

    def _make_key(self, name: str, owner: dict[str, str], scopes: list[str]) -> None:
        body = {"name": f"demo {name}", "owner": owner, "scopes": scopes}
        self._home.keep(KEY_OF.format(name), self._once("api-keys", body)["token"])

    def _once(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Make something unless it is there: the key is made of what is asked for."""
        content = json.dumps(body, ensure_ascii=False, sort_keys=True)
        key = hashlib.sha256(f"{path} {content}".encode()).hexdigest()
        try:
            return self._api.post(path, body, key=f"demo-{key}")
        except Refused as refused:
            if refused.status != CONFLICT:
                raise
            return refused.problem

    def _wait_for_roles(self) -> None:
        """Until the gateway knows everybody's: it hears of duties by event."""
        deadline = time.monotonic() + PATIENCE
        for name, person in PEOPLE.items():
            while person.login and not self._has_role(name, person.login):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{name} has no role after {PATIENCE:.0f} s")
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
