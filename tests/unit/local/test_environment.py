"""Who is told which secret, and what the caller's environment replaces."""

import pytest

from deploy.databases import SERVICES
from deploy.local.environment import Environment
from deploy.local.home import Home


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


def started(home, **environ):
    environment = Environment(home, environ)
    environment.choose_ports()
    for name in SERVICES:
        urls = {"owner_url": f"postgresql://owner@/{name}", "app_url": f"postgresql://app@/{name}"}
        environment.name_database(name, urls)
    return environment


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_told_of_its_own_database_only(home, service):
    told = started(home).of_service(service)

    databases = [name for name in told if name.startswith("LINLI_DATABASE")]

    assert databases == [f"LINLI_DATABASE_URL_{service.upper()}"]


def test_keys_of_personal_data_are_shown_to_residents_alone(home):
    environment = started(home)

    holders = [name for name in SERVICES if "LINLI_MASTER_KEYS" in environment.of_service(name)]

    assert holders == ["residents"]


def test_no_service_may_administer_the_broker(home):
    environment = started(home)
    password = home.secret("rabbitmq")

    for service in SERVICES:
        assert password not in "".join(environment.of_service(service).values())


def test_each_service_has_a_broker_user_of_its_own(home):
    environment = started(home)

    uris = {environment.of_service(name)["LINLI_AMQP_URI"] for name in SERVICES}

    assert len(uris) == len(SERVICES)


def test_a_broker_named_in_the_environment_is_used_instead(home):
    environment = started(home, LINLI_AMQP_URI="amqp://boss:secret@broker.example:5671/linli")

    assert environment.given.broker
    assert environment.broker_uri("tickets").endswith("@broker.example:5671/linli")
    assert environment.broker_uri("tickets").startswith("amqp://tickets:")


def test_secrets_and_ports_are_the_same_at_the_next_start(tmp_path):
    first = started(Home(tmp_path)).of_operator()
    second = started(Home(tmp_path)).of_operator()

    assert first == second


def test_an_operators_command_finds_a_homes_databases_unless_others_are_named(home):
    port, password = home.port("postgres"), home.secret("database_tickets")
    named = {"LINLI_DATABASE_URL_TICKETS": "postgresql://elsewhere/tickets"}

    Environment(home, {}).choose_ports()
    told, elsewhere = (Environment(home, given).of_operator() for given in ({}, named))

    url = f"postgresql+psycopg2://linli_tickets:{password}@127.0.0.1:{port}/linli_tickets"
    assert told["LINLI_DATABASE_URL_TICKETS"] == url
    assert "LINLI_DATABASE_URL_GATEWAY" not in told
    assert elsewhere["LINLI_DATABASE_URL_TICKETS"] == named["LINLI_DATABASE_URL_TICKETS"]


def test_an_operator_is_led_to_the_gateway_that_runs_whatever_port_is_set_now(home):
    home.write_ready({"url": "http://127.0.0.1:18080"})

    assert started(home).of_operator()["LINLI_URL"] == "http://127.0.0.1:18080"

    home.forget_ready()
    assert started(home).of_operator()["LINLI_URL"] == "http://127.0.0.1:8000"
