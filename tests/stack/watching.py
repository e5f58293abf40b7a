"""Debian's Prometheus and Alertmanager, fetched as RabbitMQ is and never installed."""

import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from deploy.local import debian

PROMETHEUS = Path("deploy/prometheus")


@cache
def tree(package: str) -> debian.Unpacked:
    """`prometheus` or `prometheus-alertmanager`."""
    return debian.unpacked(package)


def promtool(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """What `promtool` says to these arguments."""
    return _run("prometheus", ["promtool", *map(str, arguments)])


def amtool(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """What `amtool` says to these arguments."""
    return _run("prometheus-alertmanager", ["amtool", *map(str, arguments)])


def _run(package: str, command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    found = tree(package)
    program = found.root / "usr" / "bin" / command[0]
    return subprocess.run(
        [str(program), *command[1:]],
        env=found.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
