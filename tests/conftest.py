"""What tests stand on: a real RabbitMQ and a real PostgreSQL of their own, started when first used.

Both run under keepers, so that they end with the test run however it ends.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from deploy.local import debian, places, ports
from deploy.local.rabbitmq import ADMINISTRATOR, VHOST
from deploy.local.servers import FLEETING, PrivatePostgres, PrivateRabbitMQ
from deploy.management import Management

# How long an example takes says how busy the machine is, and nothing about what is tested; what
# tests share with their examples is put back by savepoints.
UNTOLD = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
settings.register_profile("linli", deadline=None, suppress_health_check=UNTOLD)
settings.load_profile("linli")

BROKER = pytest.StashKey["FoldersBroker"]()
EVERYTHING = {"configure": ".*", "write": ".*", "read": ".*"}


class FoldersBroker(PrivateRabbitMQ):
    """A broker with a virtual host for each folder of tests.

    So services that one folder keeps running to the end never answer the calls of another's.
    """

    vhost = VHOST

    @property
    def amqp_uri(self) -> str:
        """The administrator's, on the virtual host of the folder whose test runs."""
        return super().amqp_uri.removesuffix(VHOST) + self.vhost

    def serve(self, test: pytest.Item) -> None:
        """Turn to the virtual host of the test's folder."""
        vhost = test.path.parent.relative_to(test.config.rootpath).as_posix().replace("/", "-")
        if vhost == self.vhost:
            return
        management = Management(self.management_url)
        management.put("vhosts", vhost)
        management.put("permissions", vhost, ADMINISTRATOR, body=EVERYTHING)
        self.vhost = vhost


class ByScope(LoadScopeScheduling):
    """Hands scopes of tests to the processes that run side by side. (xdist's own groups by mark get
    lost on this pytest, which keeps node ids elsewhere.)
    """

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid.partition("::")[0])


ALONE = (
    *("tests/integration/chassis/", "tests/e2e/test_backup.py"),
    "tests/e2e/test_local_installation.py",
)
"""Whose files share next to nothing: each may go to another process."""
LONGEST = (
    *("tests/e2e", "tests/integration/gateway", "tests/integration/notifications"),
    *("tests/integration/tickets", "tests/integration/residents", "tests/integration/bus"),
    *("tests/integration/chassis/test_without_a_broker.py", "tests/e2e/test_backup.py"),
    *("tests/bench", "tests/contract", "tests/e2e/test_local_installation.py"),
)
"""Scopes that begin first, the longest before all, so that processes side by side end together."""


def scope(path: str) -> str:
    """The tests that stay together in one process: those of a folder, which share servers and what
    was built on them, or of one file.
    """
    return path if path.startswith(ALONE) else path.rpartition("/")[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest scopes first, and then the files of the integration tests."""

    def place(item: pytest.Item) -> tuple[int, bool]:
        found = scope(item.nodeid.partition("::")[0])
        number = LONGEST.index(found) if found in LONGEST else len(LONGEST)
        return number, not found.startswith("tests/integration")

    items.sort(key=place)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByScope:
    """Ours, whatever `--dist` says."""
    return ByScope(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before the fixtures of a test: its folder's virtual host, if it asks for the broker."""
    if "rabbitmq" in getattr(item, "fixturenames", ()):
        _broker(item.config).serve(item)


def pytest_unconfigure(config: pytest.Config) -> None:
    """The end of the broker and of its folder."""
    if broker := config.stash.get(BROKER, None):
        broker.kill()
        shutil.rmtree(broker.folder.parent)


def _broker(config: pytest.Config) -> FoldersBroker:
    if BROKER not in config.stash:
        config.stash[BROKER] = FoldersBroker(places.scratch() / "rabbitmq")
        config.stash[BROKER].start()
    return config.stash[BROKER]


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    """A folder that the servers' user can reach, gone after the run."""
    folder = places.scratch()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def rabbitmq(pytestconfig: pytest.Config) -> FoldersBroker:
    """A broker; a test that stops, kills or freezes it brings it back."""
    return _broker(pytestconfig)


@pytest.fixture(scope="session")
def postgres(servers_folder: Path) -> Iterator[PrivatePostgres]:
    """A database server; a test that stops, kills or freezes it brings it back."""
    server = PrivatePostgres(servers_folder / "postgres", settings=FLEETING)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Gives a port on loopback that nobody listens on."""
    return ports.free_port


@pytest.fixture(scope="session")
def amqp_tools() -> dict[str, str]:
    """The environment in which `amqp-consume` and its kin are found."""
    if shutil.which("amqp-consume"):
        return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    return debian.unpacked("amqp-tools", own="librabbitmq4|libpopt0").environment()
