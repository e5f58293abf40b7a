"""`make demo` against a running system: three sources agree, a second run adds nothing, and what
went over the bus meanwhile is what it should be.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chassis import topology
from deploy.api import Api
from deploy.demo import community as month
from deploy.demo.community import COMMUNITY, DEPARTMENTS
from deploy.demo.plan import issues
from deploy.local.places import ROOT
from tests.stack import wire
from tests.stack.stack import Stack


@pytest.fixture(scope="module")
def home(ready: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    (folder / "ready.json").write_text(json.dumps(ready))
    return folder


@pytest.fixture(scope="module")
def listening(stack: Stack, ready: dict[str, Any]) -> dict[str, str]:
    """The AMQP addresses of the month's departments, granted before it begins."""

    def address(code: str) -> str:
        known = ready["departments"].get(code)
        granted = known or json.loads(stack.linli("departments", "grant", code, "--json"))
        return str(granted["amqp_uri"])

    return {code: address(code) for code in DEPARTMENTS}


def play(home: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.demo"],
        cwd=ROOT,
        env={**os.environ, "LINLI_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(400)
@pytest.mark.usefixtures("listening")
def test_a_month_is_played_once_and_three_sources_agree_on_its_figures(
    home: Path, ready: dict[str, Any]
) -> None:
    first, again = play(home), play(home)

    for told in (first, again):
        assert "All sources agree." in told
        assert "91.7 %  (55 of 60)" in told
        assert "100.0 %  (55 of 55)" in told
    assert "All of it was there already." not in first
    assert "All of it was there already." in again
    assert (home / "demo.json").stat().st_mode & 0o077 == 0
    assert len(_tickets(home, ready)) == 60


def test_what_is_still_open_has_somebody_who_has_it_and_a_reason(
    home: Path, ready: dict[str, Any]
) -> None:
    still_open = [each for each in _tickets(home, ready) if each["state"] != "closed"]

    assert len(still_open) == 5
    assert all(each["department"] for each in still_open)


def test_each_department_was_told_all_that_concerns_it_and_nothing_else(
    listening: dict[str, str], ready: dict[str, Any]
) -> None:
    log = wire.read_log(ready["amqp_uri"])

    for code, uri in listening.items():
        told = wire.read_log(uri, stream=topology.subscriber_log(code))
        concerned = [
            each.event["id"]
            for each in log
            if each.event["type"].startswith("linli.tickets.") and code in _departments(each)
        ]
        assert [each.event["id"] for each in told] == concerned
        assert len(concerned) > 10


def test_nothing_personal_and_no_text_of_the_month_went_over_the_bus(
    ready: dict[str, Any],
) -> None:
    wiretap = b"\n".join(each.body for each in wire.read_log(ready["amqp_uri"])).decode()

    people = [person for each in month.households() for person in each.people]
    numbers = {person.phone for person in people if person.phone}
    numbers |= {person.id_number for person in people} | {duty.phone for duty in month.staff()}
    texts = {text for issue in issues() for text in (issue.title, issue.description)}
    assert len(numbers) > 3000
    assert len(texts) > 100
    assert [text for text in numbers | texts if text in wiretap] == []


def _departments(message: wire.Delivered) -> set[str]:
    data = message.event["data"]
    named = {data.get("department"), data.get("previous_department")}
    return named | set(data.get("departments") or [])


def _tickets(home: Path, ready: dict[str, Any]) -> list[dict[str, Any]]:
    token = json.loads((home / "demo.json").read_text())["tokens"]["secretary"]
    return list(Api(ready["url"], token).items("tickets", area=COMMUNITY, limit=200))
