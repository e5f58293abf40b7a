"""The version stands in two places, once for programs and once for tools."""

import tomllib
from pathlib import Path

from chassis import __version__


def test_what_runs_says_the_version_of_the_project():
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert __version__ == project["version"]
