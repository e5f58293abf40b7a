"""The compose files and images by themselves."""

import itertools
from pathlib import Path

import pytest

from deploy.local.places import ROOT
from deploy.local.postgres import PRIVATE_LOG
from tests.compose.project import SERVICES, Project, docker, inspect

BASE = "docker-compose.yml"
OVERLAYS = sorted(path.name for path in ROOT.glob("docker-compose.*.yml"))
IMAGES = (*SERVICES, "operator")
MEGABYTE = 1024 * 1024
TO_READ = "import pathlib; print(*sorted(str(p) for p in pathlib.Path('/linli').rglob('*.py')))"


@pytest.mark.parametrize(
    "overlays",
    [chosen for n in range(len(OVERLAYS) + 1) for chosen in itertools.combinations(OVERLAYS, n)],
)
def test_every_choice_of_overlays_is_a_configuration(
    built: Project, overlays: tuple[str, ...]
) -> None:
    done = built.compose("config", "-q", files=(BASE, *overlays))

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_is_small_runs_as_nobody_and_has_no_compiler(built: Project, name: str) -> None:
    base = docker("images", "-q", "--filter", "reference=python").split()[0]

    image, under = inspect(f"linli/{name}:local"), inspect(base)

    assert image["Config"]["User"] == "10001:10001"
    assert image["Size"] - under["Size"] <= 250 * MEGABYTE
    tools = "command -v gcc cc make pip && exit 1; test ! -e /venv/bin/pip"
    docker("run", "--rm", "--entrypoint", "sh", f"linli/{name}:local", "-c", f"ls /venv; {tools}")


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_holds_the_chassis_and_its_own_service_alone(built: Project, name: str) -> None:
    held = docker("run", "--rm", "--entrypoint", "python", f"linli/{name}:local", "-c", TO_READ)

    modules = {Path(path).relative_to("/linli").parts for path in held.split()}
    assert {parts[0] for parts in modules} == {"chassis", "services"}
    assert {parts[1] for parts in modules if parts[0] == "services"} == {name}


def test_no_secret_stands_in_a_file_of_ours_or_in_an_image(built: Project) -> None:
    secrets = {built.secret(path.name) for path in built.secrets.iterdir()}

    for name in IMAGES:
        told = str(inspect(f"linli/{name}:local")) + docker("history", f"linli/{name}:local")
        assert [secret for secret in secrets if secret in told] == []


def test_postgresql_logs_as_little_here_as_on_a_developers_machine() -> None:
    options = [line.strip() for line in (ROOT / BASE).read_text().splitlines()]

    assert {f"- -c{name}={value}" for name, value in PRIVATE_LOG.items()} <= {*options}
