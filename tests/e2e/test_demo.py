"""`make demo` against a running system: three sources agree, and a second run adds nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.api import Api
from deploy.demo.community import COMMUNITY
from deploy.local.places import ROOT


@pytest.fixture(scope="module")
def home(ready: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    (folder / "ready.json").write_text(json.dumps(ready))
    return folder


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


def _tickets(home: Path, ready: dict[str, Any]) -> list[dict[str, Any]]:
    token = json.loads((home / "demo.json").read_text())["tokens"]["secretary"]
    return list(Api(ready["url"], token).items("tickets", area=COMMUNITY, limit=200))
