"""A whole system, its people, and what a subscriber sees with Debian's amqp-tools."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local import debian
from tests.e2e.amqp_consume import AmqpConsume
from tests.e2e.written import JAVASCRIPT
from tests.stack import javascript
from tests.stack.collector import Collector
from tests.stack.fixtures import community, ready, stack

__all__ = ["community", "ready", "stack"]


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Who is told of every span of our own system."""
    with Collector() as collector:
        yield collector


@pytest.fixture(scope="session")
def stack_settings(collector: Collector) -> dict[str, str]:
    """Receivers of webhooks are on this machine, and so is the collector of spans."""
    return {
        "LINLI_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
    }


@pytest.fixture(scope="module")
def water_events(
    ready: dict[str, Any], amqp_tools: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AmqpConsume]:
    """`amqp-consume -q water.events` with water's own credentials, from before the first test of a
    module that asks for it; others may want to read the queue themselves.
    """
    uri = ready["departments"]["water"]["amqp_uri"]
    output: Path = tmp_path_factory.mktemp("water") / "events.jsonl"
    with AmqpConsume(uri, "water.events", amqp_tools, output) as consuming:
        yield consuming


@pytest.fixture(scope="session")
def node() -> str:
    """The Node program, with the packages of tests/e2e/js in place."""
    return javascript.node(JAVASCRIPT)


@pytest.fixture
def checkout(ready: dict[str, Any], tmp_path: Path) -> Path:
    """A folder in which Linli runs, as far as its ready.json tells."""
    (tmp_path / ".linli").mkdir()
    (tmp_path / ".linli" / "ready.json").write_text(json.dumps(ready), encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="session")
def environ(amqp_tools: dict[str, str]) -> dict[str, str]:
    """What a terminal of somebody's has: curl, amqp-tools, Python with pika and cloudevents."""
    trees = [amqp_tools]
    if not shutil.which("curl"):
        trees.append(debian.unpacked("curl").environment())
    paths = [str(Path(sys.executable).parent), "/usr/bin:/bin", *(tree["PATH"] for tree in trees)]
    libraries = [tree["LD_LIBRARY_PATH"] for tree in trees if "LD_LIBRARY_PATH" in tree]
    kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "PATH": ":".join(paths),
        "LD_LIBRARY_PATH": ":".join(libraries),
        "PYTHONUNBUFFERED": "1",
    }
