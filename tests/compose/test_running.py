"""The system in containers, several of each: played on, killed, rolled, watched from outside."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
import requests

from chassis.testing import eventually
from deploy.api import Api
from deploy.demo import community
from deploy.demo.plan import CLERK, issues
from tests.compose.load import Load
from tests.compose.project import FIRST, SCALE, SERVICES, Project, figure, inspect, tokens
from tests.stack import wire


@pytest.mark.timeout(500)
def test_ten_tickets_are_played_through_the_proxy_while_a_container_of_each_service_is_killed(
    played: list[dict[str, Any]],
) -> None:
    asked = [issue.title for issue in issues()[:FIRST]]

    assert sorted(ticket["title"] for ticket in played) == sorted(asked)


def test_each_event_of_theirs_is_in_the_log_once(
    played: list[dict[str, Any]], ready: dict[str, Any]
) -> None:
    events = [
        message.event
        for message in wire.read_log(ready["amqp_uri"])
        if message.event["type"].startswith("linli.tickets.")
    ]

    heard = {(event["subject"], event["sequence"]) for event in events}
    for ticket in played:
        sequences = sorted(int(n) for subject, n in heard if subject == ticket["id"])
        assert sequences == list(range(1, len(sequences) + 1))
    assert len(heard) == len({event["id"] for event in events})


@pytest.mark.usefixtures("played")
def test_whoever_was_killed_is_back(linli: Project) -> None:
    def healthy() -> bool:
        states = [inspect(each)["State"] for name in SERVICES for each in linli.containers(name)]
        return [one["Health"]["Status"] for one in states] == ["healthy"] * sum(SCALE.values())

    eventually(healthy, within=60)


@pytest.mark.usefixtures("played")
def test_the_broker_is_as_planned_and_has_no_dead_letters(linli: Project) -> None:
    assert json.loads(linli.linli("topology", "check", "--json")) == {"differences": []}
    counts = json.loads(linli.linli("dead-letters", "list", "--json"))["queues"]
    assert sum(counts.values()) == 0
    assert len(counts) > 10


@pytest.mark.usefixtures("played")
def test_no_number_of_anybody_is_in_a_log(linli: Project) -> None:
    logs = linli.do("logs", "--no-color")

    people = [person for each in community.households() for person in each.people]
    numbers = {person.phone for person in people if person.phone}
    numbers |= {person.id_number for person in people} | {duty.phone for duty in community.staff()}
    texts = {text for issue in issues() for text in (issue.title, issue.description)}
    assert len(logs) > 10_000
    assert [text for text in numbers | texts if text in logs] == []


def test_no_secret_is_in_an_environment_or_a_log(linli: Project) -> None:
    secrets = {linli.secret(path.name) for path in linli.secrets.iterdir()}
    told = linli.do("logs", "--no-color")
    for service in (*SERVICES, "postgres", "rabbitmq", "proxy"):
        told += "".join(str(inspect(each)["Config"]) for each in linli.containers(service))

    assert [secret for secret in secrets if secret in told] == []


def test_nobody_can_write_into_a_container(linli: Project) -> None:
    for service in SERVICES:
        held = inspect(linli.containers(service)[0])["HostConfig"]
        assert held["ReadonlyRootfs"]
        assert held["CapDrop"] == ["ALL"]
        assert held["Memory"]
        assert held["NanoCpus"]


def test_the_broker_knows_no_guest(linli: Project) -> None:
    overview = f"http://127.0.0.1:{linli.ports['MANAGEMENT']}/api/overview"

    assert requests.get(overview, auth=("guest", "guest"), timeout=10).status_code == 401


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_refuses_to_start_on_a_default_secret(linli: Project, service: str) -> None:
    variable = f"LINLI_DATABASE_URL_{service.upper()}"
    given = ["-e", f"{variable}_FILE=", "-e", f"{variable}=change-me"]
    command = inspect(linli.containers(service)[0])["Config"]["Cmd"]

    done = linli.compose("run", "--rm", "--no-TTY", "--no-deps", *given, service, *command)

    assert done.returncode == 78
    assert f"{variable} must be set, and not to a placeholder" in done.stdout + done.stderr


def test_the_proxy_speaks_tls_and_keeps_figures_inside(linli: Project) -> None:
    certificate = str(linli.secrets / "tls.pem")
    ready = requests.get(f"{linli.tls_url}/readyz", verify=certificate, timeout=10)
    figures = requests.get(f"{linli.url}/metrics", timeout=10)

    assert ready.json()["status"] == "ready"
    assert "max-age" in ready.headers["Strict-Transport-Security"]
    assert figures.status_code == 404
    assert figures.headers["Content-Type"] == "application/problem+json"


def test_an_event_reaches_the_streams_of_every_gateway_at_once(
    linli: Project, ready: dict[str, Any]
) -> None:
    api = Api(ready["url"], ready["api_key"])
    gateways = linli.containers("gateway")
    streams = [api.stream("events/stream") for _ in range(2 * len(gateways))]
    assert all(figure(each, "linli_stream_clients") >= 1 for each in gateways)

    code = f"d{uuid.uuid4().hex[:12]}"
    body = {"code": code, "name": code, "names": {"zh": code, "en": code}}
    api.post("departments", body, key=code)

    for stream in streams:
        assert any(code.encode() in line for line in stream.iter_lines())
        stream.close()


@pytest.mark.timeout(400)
@pytest.mark.usefixtures("played")
def test_every_container_is_replaced_without_a_failed_request(linli: Project, home: Path) -> None:
    before = {each for service in SERVICES for each in linli.containers(service)}

    with Load(linli.url, tokens(home)[CLERK]) as load:
        eventually(lambda: load.done > 50, within=60)
        linli.roll(*SERVICES)

    after = {each for service in SERVICES for each in linli.containers(service)}
    assert load.failed == []
    assert load.done > 100
    assert not before & after
    assert len(before) == len(after)


def test_no_container_has_run_out_of_memory(linli: Project) -> None:
    states = [inspect(each)["State"] for name in SERVICES for each in linli.containers(name)]

    assert not any(state["OOMKilled"] for state in states)
