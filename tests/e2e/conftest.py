"""A whole system, its people, and what a subscriber sees with Debian's amqp-tools."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import javascript
from tests.e2e.amqp_consume import AmqpConsume
from tests.stack.fixtures import community, ready, stack, stack_settings

__all__ = ["community", "ready", "stack", "stack_settings"]


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
    return javascript.node()
