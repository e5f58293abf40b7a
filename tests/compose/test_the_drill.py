"""The drill, last of all: a backup, everything gone with its volumes, and all of it back."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from deploy.api import Api
from deploy.demo import community
from deploy.demo.plan import FIRST_DAY, LAST_DAY, SECRETARY
from tests.compose.project import SCALE, Project, tokens
from tests.stack import wire

MONTH = {"area": community.COMMUNITY, "from": FIRST_DAY, "to": LAST_DAY}


def told(ready: Mapping[str, Any], secretary: str) -> dict[str, Any]:
    """What the system says of the month: tickets, how each went, rates, ledger, events."""
    api = Api(ready["url"], secretary)
    tickets = list(api.items("tickets", area=community.COMMUNITY, limit=200))
    return {
        "tickets": tickets,
        "history": [list(api.items(f"tickets/{ticket['id']}/history")) for ticket in tickets],
        "rates": api.get("rates", **MONTH),
        "ledger": api.get("ledger", format="json", **MONTH)["items"],
        "departments": api.get("departments")["items"],
        "events": [message.event["id"] for message in wire.read_log(ready["amqp_uri"])],
    }


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("played")
def test_all_of_it_comes_back_from_a_backup_when_every_volume_is_gone(
    linli: Project, ready: dict[str, Any], home: Path, tmp_path: Path
) -> None:
    tmp_path.chmod(0o777)
    kept = ("run", "--rm", "--no-TTY", "--volume", f"{tmp_path}:/kept", "linli")
    secretary = tokens(home)[SECRETARY]
    before = told(ready, secretary)
    linli.do(*kept, "backup", "/kept/all")

    linli.do("--profile", "tools", "down", "--volumes")
    linli.do("up", "-d", "--wait", "postgres", "rabbitmq")
    linli.do(*kept, "restore", "/kept/all", "--yes")
    linli.up(**SCALE)

    assert told(ready, secretary) == before
    assert before["tickets"]
    linli.linli("doctor")
