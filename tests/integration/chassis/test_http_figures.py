"""What was asked over HTTP is counted by operation and by how it was answered."""

import pytest

from chassis.testing.figures import figures_at, health_port
from tests.integration.chassis.http_client import ToyProcess


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    from deploy.local.ports import free_port

    with ToyProcess(free_port(), tmp_path_factory.mktemp("toy") / "log") as process:
        yield process


def counted(toy, operation, status):
    found = figures_at(health_port(toy.log_path.read_text()))
    return found.get(("linli_http_requests_total", operation, status), 0.0)


@pytest.mark.parametrize(
    ("path", "operation", "status"),
    [
        ("/things/one", "get_thing", "2xx"),
        ("/broken", "broken", "5xx"),
        ("/away", "away", "5xx"),
        ("/nowhere", "none", "4xx"),
    ],
)
def test_an_answer_is_counted_once(toy, path, operation, status):
    before = counted(toy, operation, status)

    toy.get(path)

    assert counted(toy, operation, status) == before + 1


def test_what_is_no_http_is_counted_as_refused(toy):
    before = counted(toy, "none", "4xx")

    with toy.client() as client:
        answer = client.send("this is nothing\r\n\r\n").answer()

    assert answer.status == 400
    assert counted(toy, "none", "4xx") == before + 1


def test_asking_for_health_is_nobodys_request(toy):
    toy.get("/livez"), toy.get("/readyz")

    names = figures_at(health_port(toy.log_path.read_text()))
    assert not [each for each in names if each[0] == "linli_http_requests_total" and "liv" in each]
    assert counted(toy, "none", "2xx") == 0
