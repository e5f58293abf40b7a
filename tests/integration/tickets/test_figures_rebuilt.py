"""`linli figures rebuild`, as an operator calls it."""

import json
from typing import Any

import pytest
from sqlalchemy import create_engine, delete, select

from deploy import cli, commands
from services.tickets.models import FIGURES
from tests.integration.tickets.conftest import migrated
from tests.integration.tickets.test_concurrency import act, everything
from tests.integration.tickets.world import World, filing
from tests.unit.tickets import builders

NOT_ASKED = {
    "LINLI_AMQP_URI": "amqp://nobody@127.0.0.1:1//",
    "LINLI_RABBITMQ_MANAGEMENT_URL": "http://nobody@127.0.0.1:1",
}


def test_the_command_makes_all_figures_anew(
    postgres: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    url = migrated(postgres)["app_url"]
    engine = create_engine(url)
    with everything(engine) as session, session.begin():
        World(session)
    for _ in range(3):
        act(engine, builders.resident(), "file_ticket", **filing())
    with everything(engine) as session, session.begin():
        before = session.execute(select(FIGURES).order_by(FIGURES.c.ticket)).all()
        session.execute(delete(FIGURES))

    environ = {**NOT_ASKED, "LINLI_DATABASE_URL_TICKETS": url}
    code = cli.main(["figures", "rebuild", "--json"], environ)

    assert (code, json.loads(capsys.readouterr().out.splitlines()[-1])) == (0, {"tickets": 3})
    with everything(engine) as session:
        assert session.execute(select(FIGURES).order_by(FIGURES.c.ticket)).all() == before
    engine.dispose()


def test_without_a_database_it_says_which_variable_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["figures", "rebuild"], NOT_ASKED) == commands.WRONG_USAGE
    assert "LINLI_DATABASE_URL_TICKETS" in capsys.readouterr().err
