"""What each process of a local installation is told: which servers, which secrets, which ports.

A variable that the caller's environment sets is left as it is: so one names servers of one's own.
"""

import base64
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from deploy.databases import SERVICES
from deploy.local import places
from deploy.local.home import Home
from deploy.local.rabbitmq import ADMINISTRATOR, VHOST

OBSERVER = "observer"
BROKER_PORTS = ("amqp", "management", "prometheus", "distribution", "epmd")
OF_ONE_SERVICE = {
    "residents": ("LINLI_MASTER_KEYS", "LINLI_BLIND_INDEX_KEY"),
    "notifications": (
        *("LINLI_SMS_URL", "LINLI_SMS_TOKEN", "LINLI_WEBHOOK_KEY"),
        *("LINLI_SMTP_HOST", "LINLI_SMTP_USER", "LINLI_SMTP_PASSWORD_FILE"),
    ),
    "gateway": ("LINLI_SECRET", "LINLI_HTTP_PORT"),
}
"""Secrets and settings that are one service's business and are not shown to the others."""


@dataclass(frozen=True)
class Given:
    """What the caller's environment brings, and so is not started here."""

    environ: Mapping[str, str]

    @property
    def broker(self) -> bool:
        """Whether it names a RabbitMQ."""
        return bool(self.environ.get("LINLI_AMQP_URI"))

    @property
    def sms(self) -> bool:
        """Whether it names an SMS provider."""
        return bool(self.environ.get("LINLI_SMS_URL"))

    @property
    def mail(self) -> bool:
        """Whether it names a mail server."""
        return bool(self.environ.get("LINLI_SMTP_HOST"))

    def database(self, service: str) -> bool:
        """Whether it names the service's database."""
        return bool(self.environ.get(f"LINLI_DATABASE_URL_{service.upper()}"))

    @property
    def all_databases(self) -> bool:
        """Whether no PostgreSQL has to be started."""
        return all(map(self.database, SERVICES))


class Environment:
    """The variables of one home's processes."""

    def __init__(self, home: Home, environ: Mapping[str, str] = os.environ) -> None:
        self._home = home
        self._variables = dict(environ)
        self.given = Given(environ)
        self._default("LINLI_HTTP_PORT", lambda: "8000")
        self._default("LINLI_MASTER_KEYS", lambda: f"k1:{home.secret('master_key', _key)}")
        self._default("LINLI_BLIND_INDEX_KEY", lambda: home.secret("blind_index_key", _key))
        self._default("LINLI_SECRET", lambda: home.secret("gateway_secret", _key))
        self._default("LINLI_SMS_TOKEN", lambda: home.secret("sms_token"))
        self._default("LINLI_WEBHOOK_KEY", lambda: home.secret("webhook_key", _key))
        if not self.given.broker:
            self._name_private_broker()

    def __getitem__(self, name: str) -> str:
        return self._variables[name]

    @property
    def http_port(self) -> int:
        """Where the gateway answers."""
        return int(self["LINLI_HTTP_PORT"])

    @property
    def url(self) -> str:
        """The gateway's address."""
        return f"http://127.0.0.1:{self.http_port}"

    def choose_ports(self) -> None:
        """Make sure of the ports that this home's processes listen on, before they start."""
        if not self.given.broker:
            for name in BROKER_PORTS:
                self._home.port(name)
            self._name_private_broker()
        if not self.given.sms:
            self._variables["LINLI_SMS_URL"] = f"http://127.0.0.1:{self._home.port('sms')}/messages"
            # What the stand-in takes costs nothing and rings nobody's phone.
            self._default("LINLI_CODES_PER_PHONE", lambda: "200")
            self._default("LINLI_QUIET_HOURS", lambda: "none")
        if not self.given.mail:
            self._name_mail_standin()
        for service in SERVICES[:-1]:
            port = self._home.port(f"health_{service}")
            self._variables[f"LINLI_HEALTH_PORT_{service.upper()}"] = str(port)

    @property
    def mail_url(self) -> str | None:
        """Where the stand-in lists the mail it was given; None with a mail server of one's own."""
        port = None if self.given.mail else self._home.known_port("mail")
        return f"http://127.0.0.1:{port}" if port else None

    def name_database(self, service: str, urls: Mapping[str, str]) -> None:
        """Tell where a service's database is."""
        self._variables[f"LINLI_DATABASE_URL_{service.upper()}"] = urls["app_url"]
        self._variables[f"LINLI_DATABASE_OWNER_URL_{service.upper()}"] = urls["owner_url"]

    def broker_uri(self, account: str) -> str:
        """The AMQP URI of a service, or of the observer: a user of its own."""
        variable = f"LINLI_AMQP_URI_{account.upper()}"
        if variable in self._variables:
            return self._variables[variable]
        parts = urlsplit(self["LINLI_AMQP_URI"])
        host = parts.netloc.rpartition("@")[2]
        login = f"{account}:{quote(self._home.secret(f'amqp_{account}'), safe='')}"
        return urlunsplit((parts.scheme, f"{login}@{host}", parts.path, parts.query, ""))

    def of_operator(self) -> dict[str, str]:
        """For steps that set up, and commands: the administrator's accounts, the users to make,
        the databases.
        """
        accounts = {
            f"LINLI_AMQP_URI_{each.upper()}": self.broker_uri(each)
            for each in (*SERVICES, OBSERVER)
        }
        ports = {name: self._home.known_port(f"health_{name}") for name in SERVICES}
        reached = {
            # What runs may have been started with another port than is set here.
            "LINLI_URL": self._home.url or self.url,
            **{
                f"LINLI_HEALTH_URL_{name.upper()}": f"http://127.0.0.1:{port}"
                for name, port in ports.items()
                if port
            },
        }
        if key := self._home.known("api_key_administrator"):
            reached["LINLI_API_KEY"] = key
        found = {**reached, **self._private_databases(), **self._variables, **accounts, **_python()}
        return found if self.given.all_databases else {**_programs(), **found}

    def of_service(self, service: str) -> dict[str, str]:
        """For a service: its own accounts and secrets, and nobody else's."""
        foreign = {
            name for other, names in OF_ONE_SERVICE.items() if other != service for name in names
        }
        others = tuple(f"_{other.upper()}" for other in SERVICES if other != service)
        kept = {
            name: value
            for name, value in self._variables.items()
            if name not in foreign
            and not (name.startswith("LINLI_") and name.endswith(others))
            and not name.startswith(("LINLI_DATABASE_OWNER_URL_", "LINLI_RABBITMQ_MANAGEMENT"))
        }
        own = {"LINLI_AMQP_URI": self.broker_uri(service)}
        return {**kept, **own, **_python()}

    def _private_databases(self) -> dict[str, str]:
        """Where this home's databases are, by the applications' accounts and by their owners', also
        while they run.
        """
        host = f"127.0.0.1:{self._home.known_port('postgres')}"
        accounts = {
            f"{variable}_{name.upper()}": (name, f"linli_{name}{suffix}", secret)
            for name in SERVICES
            for variable, suffix, kind in (
                ("LINLI_DATABASE_URL", "", "database"),
                ("LINLI_DATABASE_OWNER_URL", "_owner", "owner"),
            )
            if (secret := self._home.known(f"{kind}_{name}"))
        }
        return {
            variable: f"postgresql+psycopg2://{user}:{password}@{host}/linli_{name}"
            for variable, (name, user, password) in accounts.items()
        }

    def _name_private_broker(self) -> None:
        """Also while it runs and its ports are taken: `linli` wants to reach it."""
        amqp, management = (self._home.known_port(name) for name in BROKER_PORTS[:2])
        if amqp and management:
            login = f"{ADMINISTRATOR}:{self._home.secret('rabbitmq')}"
            self._variables["LINLI_AMQP_URI"] = f"amqp://{login}@127.0.0.1:{amqp}/{VHOST}"
            self._variables["LINLI_RABBITMQ_MANAGEMENT_URL"] = (
                f"http://{login}@127.0.0.1:{management}"
            )

    def _name_mail_standin(self) -> None:
        self._home.port("mail")
        self._variables |= {
            "LINLI_SMTP_HOST": "127.0.0.1",
            "LINLI_SMTP_PORT": str(self._home.port("smtp")),
            "LINLI_SMTP_TLS": "none",
            "LINLI_SMTP_FROM": "邻里 <linli@community.example>",
        }

    def _default(self, name: str, make: Callable[[], str]) -> None:
        if not self._variables.get(name):
            self._variables[name] = make()


def _python() -> dict[str, str]:
    return {"PYTHONPATH": str(places.ROOT), "PYTHONUNBUFFERED": "1"}


def _programs() -> dict[str, str]:
    """pg_dump and its kin of the private PostgreSQL."""
    from deploy.local import postgres

    return {"LINLI_POSTGRES_PROGRAMS": str(postgres.programs())}


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
