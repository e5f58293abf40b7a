"""The private servers: their controls, their manners, and who may do what in a database."""

from contextlib import closing

import psutil
import psycopg2
import pytest

from chassis.testing import eventually
from deploy.databases import connect
from deploy.local import processes


def test_a_frozen_broker_answers_nothing_until_it_thaws(rabbitmq):
    rabbitmq.freeze()
    try:
        assert not rabbitmq.answers()
    finally:
        rabbitmq.thaw()

    assert rabbitmq.answers()


def test_a_killed_broker_comes_back_on_the_same_ports(rabbitmq):
    before = rabbitmq.amqp_uri

    rabbitmq.kill()
    assert not rabbitmq.running
    rabbitmq.start()

    assert rabbitmq.answers()
    assert rabbitmq.amqp_uri == before


def test_freezing_postgres_reaches_connections_already_open(postgres):
    with closing(connect(postgres.url())) as session:
        backend = psutil.Process(session.info.backend_pid)
        postgres.freeze()
        try:
            eventually(lambda: backend.status() == psutil.STATUS_STOPPED)
        finally:
            postgres.thaw()


def test_a_killed_postgres_keeps_what_was_committed(postgres):
    url = postgres.create_service_database("keeper")["owner_url"]
    _run(url, "CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)")

    postgres.kill()
    postgres.start()

    assert _run(url, "SELECT id FROM kept") == [(7,)]


def test_what_failed_is_logged_without_what_was_written(postgres):
    url = postgres.create_service_database("discreet")["owner_url"]
    _run(url, "CREATE TABLE said (words text, CONSTRAINT never CHECK (words = ''))")

    with pytest.raises(psycopg2.errors.CheckViolation):
        _run(url, "INSERT INTO said VALUES ('canary-in-the-log')")

    eventually(lambda: "never" in postgres.log())
    assert "canary-in-the-log" not in postgres.log()


def test_a_services_user_owns_nothing_and_may_not_make_anything(postgres):
    urls = postgres.create_service_database("modest")

    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        _run(urls["app_url"], "CREATE TABLE mine (id int)")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        _run(urls["app_url"], "CREATE SCHEMA mine")


def test_a_service_may_not_enter_anothers_database(postgres):
    mine = postgres.create_service_database("mine")
    postgres.create_service_database("theirs")

    with pytest.raises(psycopg2.OperationalError, match="permission denied"):
        _run(mine["app_url"].removesuffix("linli_mine") + "linli_theirs", "SELECT 1")


def test_trigrams_are_found_in_chinese(postgres):
    url = postgres.create_service_database("search")["owner_url"]
    _run(url, "CREATE EXTENSION pg_trgm")

    [(trigrams,)] = _run(url, "SELECT cardinality(show_trgm('六楼漏水'))")

    assert trigrams == 5


def test_only_loopback_is_listened_on(rabbitmq, postgres):
    ports = {*rabbitmq.ports.values(), postgres.port}

    hosts = {each.laddr.ip for each in psutil.net_connections("tcp") if _listens(each, ports)}

    assert hosts <= {"127.0.0.1", "::1"}


def test_nothing_is_left_of_a_stopped_server(postgres):
    keeper = postgres._server._keeper.pid

    postgres.stop()
    left = processes.descendants(keeper)
    postgres.start()

    assert left == []


def _listens(each, ports):
    return each.status == psutil.CONN_LISTEN and each.laddr.port in ports


def _run(url, statement):
    with closing(connect(url)) as session, session, session.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []
