"""A database with the schema of its migrations, and the stand-in for the provider on real HTTP."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from kombu import Connection
from sqlalchemy import Engine, create_engine, update
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from chassis import migrate, topology
from chassis.consumer import consumers_of
from deploy.local import mail_standin, sms_standin
from services.notifications.mail import MailServer, SmtpMail
from services.notifications.models import Delivery
from services.notifications.news import Channel
from services.notifications.outcome import Schedules
from services.notifications.providers import HttpSms
from services.notifications.schedule import Schedule
from services.notifications.service import NotificationsService
from services.notifications.staleness import Limits
from tests.integration.notifications.office import Office
from tests.integration.notifications.webhook_world import KEY, World
from tests.integration.notifications.world import TOKEN, Postbox, Standin, TicketStory


@pytest.fixture(scope="session")
def notifications_database(postgres: Any) -> dict[str, str]:
    """The URLs of owner and application of a migrated database."""
    urls = postgres.create_service_database("notifications")
    user = make_url(urls["app_url"]).username
    migrate.upgrade("services.notifications", urls["owner_url"], user)
    return urls


@pytest.fixture(scope="session")
def engine(notifications_database: dict[str, str]) -> Iterator[Engine]:
    """Connections as the application's user."""
    engine = create_engine(notifications_database["app_url"], pool_pre_ping=True)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def webhook_environ(notifications_database: dict[str, str]) -> dict[str, str]:
    """What a sender of webhooks is told, in a hurry; it may send to loopback."""
    return {
        "LINLI_AMQP_URI": "amqp://nobody@127.0.0.1/",
        "LINLI_DATABASE_URL_NOTIFICATIONS": notifications_database["app_url"],
        "LINLI_SMS_URL": "http://127.0.0.1/",
        "LINLI_SMS_TOKEN": TOKEN,
        "LINLI_WEBHOOK_KEY": KEY,
        "LINLI_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8 ::1/128",
        "LINLI_WEBHOOK_RETRIES": "0.5s 0.5s 1s",
        "LINLI_WEBHOOK_TIMEOUT": "1.5",
        "LINLI_WEBHOOK_LEASE": "3",
    }


@pytest.fixture(scope="module")
def service_environ(rabbitmq: Any, postgres: Any, standin: Standin) -> dict[str, str]:
    """Topology and schema of the service as it runs, and the environment that leads there."""
    urls = postgres.create_service_database("notifications")
    user = make_url(urls["app_url"]).username
    migrate.upgrade("services.notifications", urls["owner_url"], user)
    queues = [*topology.shared(), topology.rpc("notifications"), topology.rpc("residents")]
    for name, types in consumers_of(NotificationsService):
        queues += [topology.dead(name), topology.consumer(name, types)]
    with Connection(rabbitmq.amqp_uri) as connection:
        topology.declare(connection.channel(), queues)
    return {
        "LINLI_AMQP_URI": rabbitmq.amqp_uri,
        "LINLI_DATABASE_URL_NOTIFICATIONS": urls["app_url"],
        "LINLI_SMS_URL": f"{standin.url}/messages",
        "LINLI_SMS_TOKEN": TOKEN,
        "LINLI_WEBHOOK_KEY": KEY,
    }


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session that the test may commit. What other tests left in the queue is out of the way."""
    with Session(engine, expire_on_commit=False) as session:
        session.execute(
            update(Delivery)
            .where(Delivery.state.in_(["queued", "collected"]))
            .values(state="skipped", next_attempt_at=None)
        )
        session.commit()
        yield session


@pytest.fixture(scope="session")
def standin() -> Iterator[Standin]:
    """The stand-in for the SMS provider, serving."""
    server = sms_standin.serve(0, TOKEN)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    standin = Standin(f"http://127.0.0.1:{server.server_port}")
    yield standin
    standin.close()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def mail_office(free_port: Any) -> Iterator[mail_standin.Office]:
    """The stand-in for a mail server, serving."""
    office = mail_standin.Office(free_port(), 0)
    office.open()
    yield office
    office.close()


@pytest.fixture
def postbox(mail_office: mail_standin.Office) -> Iterator[Postbox]:
    """What the mail server was given, as somebody who looks at it over HTTP; it behaves."""
    postbox = Postbox(mail_office.url)
    postbox.behave()
    yield postbox
    postbox.behave()
    postbox.close()


@pytest.fixture
def mail_server(mail_office: mail_standin.Office) -> MailServer:
    """Where our mail is handed over."""
    return MailServer(
        "127.0.0.1", mail_office.smtp_port, "none", "邻里 <linli@community.example>", timeout=0.5
    )


@pytest.fixture
def providers(provider: HttpSms, mail_server: MailServer, postbox: Postbox) -> dict[Channel, Any]:
    """Both of our providers, speaking to stand-ins that behave."""
    return {Channel.SMS: provider, Channel.EMAIL: SmtpMail(mail_server)}


@pytest.fixture
def provider(standin: Standin) -> Iterator[HttpSms]:
    """Our provider, speaking to a stand-in that behaves."""
    standin.behave()
    provider = HttpSms(f"{standin.url}/messages", TOKEN, timeout=0.5)
    yield provider
    provider.close()
    standin.behave()


@pytest.fixture
def office(
    session: Session, providers: dict[Channel, Any], schedules: Schedules, limits: Limits
) -> Office:
    """The service's round, step by step."""
    return Office(session, providers, schedules, limits)


@pytest.fixture
def story(office: Office) -> TicketStory:
    """A ticket whose reporter has a telephone."""
    story = TicketStory()
    story.phone = office.residents.knows(story.reporter)
    return story


@pytest.fixture
def schedules() -> Schedules:
    """Schedules that are easily told apart."""
    return Schedules(
        provider=Schedule((5.0, 30.0)),
        waiting=Schedule((2.0, 60.0), endless=True),
        lost=Schedule((1.0,) * 3),
    )


@pytest.fixture
def limits() -> Limits:
    """A minute, and three days."""
    return Limits(fresh_for=timedelta(minutes=1), expires_after=timedelta(days=3))


@pytest.fixture
def world(engine: Engine, webhook_environ: dict[str, str]) -> World:
    """Endpoints and what is sent to them."""
    return World(engine, webhook_environ)
