"""The project that all tests of this folder share: built, up with replicas, and taken down."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chassis.testing import eventually
from deploy.api import Api
from deploy.demo import community
from services.gateway.policy import SCOPES
from tests.compose.project import FIRST, SCALE, SERVICES, Project, demo, kill, tokens

ADMINISTRATOR = "administrator"
PASSWORD = "a long enough password"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The project with its images, and nothing running."""
    project = Project("linli-test", tmp_path_factory.mktemp("compose"))
    project.do("--profile", "tools", "build", "--quiet")
    yield project
    project.do("--profile", "tools", "down", "--volumes", "--remove-orphans")


@pytest.fixture(scope="session")
def linli(built: Project, request: pytest.FixtureRequest) -> Project:
    """The project, up, with several of everything."""
    seconds = built.up(**SCALE)
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    if reporter:
        reporter.write_line(f"up, from clean to healthy: {seconds:.0f} s")
    return built


@pytest.fixture(scope="session")
def administrator(linli: Project) -> Api:
    """The first administrator, as an operator makes one."""
    command = ["users", "add-administrator", "--login", ADMINISTRATOR]
    linli.do("run", "--rm", "--no-TTY", "-e", f"LINLI_PASSWORD={PASSWORD}", "linli", *command)
    api = Api(linli.url)
    api.sign_in(ADMINISTRATOR, PASSWORD)
    return api


@pytest.fixture(scope="session")
def ready(linli: Project, administrator: Api) -> dict[str, Any]:
    """What `make up` would write into ready.json."""
    own = administrator.get("sessions/current")["actor"]["id"]
    body = {"name": "compose", "owner": {"person": own}, "scopes": sorted(SCOPES)}
    key = administrator.post("api-keys", body, key=str(uuid.uuid4()))["token"]
    return {"url": linli.url, "api_key": key, "amqp_uri": linli.amqp_uri("observer")}


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="session")
def played(linli: Project, ready: dict[str, Any], home: Path) -> list[dict[str, Any]]:
    """The first ten issues of the demo month, while one container of each service was killed."""
    with demo(home, ready, FIRST) as playing:
        token = eventually(lambda: playing.poll() or tokens(home).get("secretary"), within=240)
        api = Api(ready["url"], token)
        eventually(
            lambda: playing.poll() or list(api.items("tickets", area=community.COMMUNITY)),
            within=120,
        )
        for service in SERVICES:
            kill(linli.containers(service)[0])
        told, _ = playing.communicate(timeout=240)
    assert playing.returncode == 0, told
    assert "All sources agree." in told
    return list(api.items("tickets", area=community.COMMUNITY))
