"""Fixtures of the suites that need the whole system; their conftest modules import them."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.databases import SERVICES
from deploy.local import places
from tests.stack.clients import Community
from tests.stack.stack import Stack

__all__ = ["community", "ready", "stack", "stack_settings"]


@pytest.fixture(scope="session")
def stack_settings() -> dict[str, str]:
    """Variables for the services of our own system; a suite may want others."""
    return {}


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, stack_settings: dict[str, str]) -> Iterator[Stack]:
    """A system of our own; a test that stops or breaks a part of it brings it back."""
    folder = places.scratch()
    stack = Stack(folder, stack_settings)
    try:
        stack.up()
        yield stack
    finally:
        stack.down()
        if request.session.testsfailed:
            _show_logs(stack)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def ready(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What `ready.json` says: of the Linli that LINLI_READY names, or else of a stack of ours."""
    if given := os.environ.get("LINLI_READY"):
        content: dict[str, Any] = json.loads(Path(given).read_text())
        return content
    stack: Stack = request.getfixturevalue("stack")
    return stack.ready


@pytest.fixture(scope="session")
def community(ready: dict[str, Any]) -> Iterator[Community]:
    """The demo's people."""
    community = Community(ready)
    yield community
    community.close()


def _show_logs(stack: Stack) -> None:
    for name in SERVICES:
        lines = stack.log(name).splitlines() if stack.home.log(name).exists() else []
        unusual = [line for line in lines if '"level": "info"' not in line]
        sys.stdout.write("\n".join((f"--- {name}", *unusual[-30:], "")))
