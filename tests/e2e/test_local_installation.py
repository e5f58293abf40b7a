"""`make up` as a person has it: started, killed, started again, taken down."""

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from deploy.local import places, ports

STARTS_WITHIN, ENDS_WITHIN = 120, 30


class Installation:
    """A home of its own, and the launcher that runs in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        variables = {"LINLI_HOME": str(home), "LINLI_HTTP_PORT": str(ports.free_port())}
        foreign = {name for name in os.environ if name.startswith("LINLI_")}
        kept = {name: value for name, value in os.environ.items() if name not in foreign}
        self._environ = {**kept, **variables}
        self.output = home.with_suffix(".out")

    def up(self) -> psutil.Process:
        """Start it and wait until it says that it is ready."""
        with self.output.open("w") as output:
            command = [sys.executable, "-m", "deploy.local", "up"]
            launcher = psutil.Popen(
                command, cwd=places.ROOT, env=self._environ, stdout=output, stderr=output
            )
        deadline = time.monotonic() + STARTS_WITHIN
        while "Linli is ready at" not in self.output.read_text():
            assert launcher.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.1)
        return launcher

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Another command on the same home."""
        return subprocess.run(
            [sys.executable, "-m", "deploy.local", command],
            cwd=places.ROOT,
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
        )

    def ready(self) -> dict:
        """What programs are told."""
        return json.loads((self.home / "ready.json").read_text())

    def sign_in(self, name: str) -> requests.Response:
        """Sign in as one of those that ready.json names."""
        ready = self.ready()
        return requests.post(
            f"{ready['url']}/api/v1/sessions", json=ready["sign_ins"][name], timeout=10
        )


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("local") / "home")
    yield made
    assert made.run("reset").returncode == 0


@pytest.mark.timeout(400)
def test_it_starts_tells_programs_survives_and_keeps_its_data(installation: Installation) -> None:
    launcher = installation.up()
    first = installation.ready()
    _tells_programs(installation)
    _turns_a_second_launcher_away(installation)
    _starts_a_dead_service_again(installation, launcher)
    _leaves_nothing_when_killed(launcher)

    again = installation.up()

    assert installation.ready() == first
    assert installation.sign_in("secretary").json()["actor"]["roles"]
    _is_taken_down(installation, again)


def _tells_programs(installation: Installation) -> None:
    ready = installation.ready()
    assert {"url", "amqp_uri", "sign_ins", "api_key", "departments", "sms_url", "mail_url"} <= set(
        ready
    )
    assert set(ready["departments"]["water"]) == {"amqp_uri", "api_key"}
    assert stat.S_IMODE((installation.home / "ready.json").stat().st_mode) == 0o600
    for name in ("secretary", "grid_worker", "staff", "water", "administrator"):
        assert installation.sign_in(name).status_code == 201


def _turns_a_second_launcher_away(installation: Installation) -> None:
    second = installation.run("up")

    assert second.returncode == 1
    assert "already" in second.stderr


def _starts_a_dead_service_again(installation: Installation, launcher: psutil.Process) -> None:
    [tickets] = [each for each in _below(launcher) if _runs(each, "services.tickets.service")]

    tickets.kill()

    deadline = time.monotonic() + ENDS_WITHIN
    while "tickets ended with status 137" not in installation.output.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    while not [each for each in _below(launcher) if _runs(each, "services.tickets.service")]:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _leaves_nothing_when_killed(launcher: psutil.Process) -> None:
    below = _below(launcher)
    assert len(below) > 15

    launcher.kill()
    launcher.wait()

    assert psutil.wait_procs(below, timeout=ENDS_WITHIN)[1] == []


def _is_taken_down(installation: Installation, launcher: psutil.Process) -> None:
    below = _below(launcher)

    assert installation.run("down").returncode == 0

    assert launcher.wait() == 0
    assert psutil.wait_procs(below, timeout=ENDS_WITHIN)[1] == []
    assert not (installation.home / "ready.json").exists()


def _below(launcher: psutil.Process) -> list[psutil.Process]:
    return launcher.children(recursive=True)


def _runs(process: psutil.Process, module: str) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and module in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False
