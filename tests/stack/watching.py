"""Debian's Prometheus and Alertmanager, fetched as RabbitMQ is and never installed: their tools,
and both of them over a stack.
"""

import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, Self

import requests
import yaml

from chassis.testing.figures import health_port
from deploy.databases import SERVICES
from deploy.local import debian
from deploy.local.child import Child, wait_until
from deploy.local.ports import free_port, is_open
from tests.stack.stack import Stack

PROMETHEUS = Path("deploy/prometheus")
IMPATIENCE = 10
"""So many times sooner than in earnest does an alert fire in `Watch`."""


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


class Watch:
    """Prometheus and Alertmanager over a stack, with the configuration and the rules that are
    shipped, but for where its targets are and how long they wait. A context manager.
    """

    def __init__(self, stack: Stack, folder: Path) -> None:
        self._folder = folder
        self._ports = {"prometheus": free_port(), "alertmanager": free_port()}
        self._targets = {name: health_port(stack.log(name)) for name in SERVICES}
        self._targets["rabbitmq"] = stack.rabbitmq.ports["prometheus"]
        self._running = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def asked(self, query: str) -> list[tuple[Mapping[str, str], float]]:
        """Labels and value of each result of a query, as of now."""
        answer = self._get("prometheus", "api/v1/query", query=query)
        return [(each["metric"], float(each["value"][1])) for each in answer["data"]["result"]]

    def firing(self) -> set[str]:
        """The names of the alerts that fire in Prometheus."""
        alerts = self._get("prometheus", "api/v1/alerts")["data"]["alerts"]
        return {each["labels"]["alertname"] for each in alerts if each["state"] == "firing"}

    def told(self) -> set[str]:
        """The names of the alerts that somebody is told of."""
        return self._in_alertmanager("active")

    def kept_back(self) -> set[str]:
        """The names of those of which nobody is, for the sake of another."""
        return self._in_alertmanager("suppressed")

    def _begin(self) -> None:
        self._write("rules.yml", impatient(_shipped("rules/linli.yml")))
        self._write("prometheus.yml", self._redirected(_shipped("prometheus.yml")))
        self._start(
            "alertmanager",
            "prometheus-alertmanager",
            f"--config.file={(PROMETHEUS / 'alertmanager.yml').resolve()}",
            "--cluster.listen-address=",
            f"--storage.path={self._folder / 'alerts'}",
        )
        self._start(
            "prometheus",
            "prometheus",
            f"--config.file={self._folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self._folder / 'figures'}",
        )

    def _in_alertmanager(self, state: str) -> set[str]:
        alerts = self._get("alertmanager", "api/v2/alerts")
        return {each["labels"]["alertname"] for each in alerts if each["status"]["state"] == state}

    def _is_ready(self, program: str) -> bool:
        if not is_open(self._ports[program]):
            return False
        return self._answer(program, "-/ready", {}).status_code == 200

    def _get(self, program: str, path: str, **params: str) -> Any:
        answer = self._answer(program, path, params)
        answer.raise_for_status()
        return answer.json()

    def _answer(self, program: str, path: str, params: Mapping[str, str]) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            address = f"http://127.0.0.1:{self._ports[program]}/{path}"
            return session.get(address, params=params, timeout=10)

    def _redirected(self, config: dict[str, Any]) -> dict[str, Any]:
        """The configuration with our ports for what DNS would name, as if DNS had named them."""
        config["global"] = {"scrape_interval": "3s", "evaluation_interval": "1s"}
        config["rule_files"] = [str(self._folder / "rules.yml")]
        manager = f"127.0.0.1:{self._ports['alertmanager']}"
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [manager]}]}]}
        for job in config["scrape_configs"]:
            (found,) = job.pop("dns_sd_configs")
            job["static_configs"] = [
                {
                    "targets": [f"127.0.0.1:{self._targets[name]}"],
                    "labels": {"__meta_dns_name": name},
                }
                for name in found["names"]
            ]
        return config

    def _write(self, name: str, content: Any) -> None:
        text = yaml.safe_dump(content, allow_unicode=True)
        (self._folder / name).write_text(text, encoding="utf-8")

    def _start(self, name: str, program: str, *options: str) -> None:
        package = tree(program)
        port = self._ports[name]
        command = [str(self._relocated(package, program)), *options]
        command.append(f"--web.listen-address=127.0.0.1:{port}")
        log = self._folder / f"{name}.log"
        child = Child(name, command, log, package.environment(), cwd=package.root)
        self._running.callback(child.kill)
        child.start()
        wait_until(lambda: self._is_ready(name), child, within=60)

    def _relocated(self, package: debian.Unpacked, program: str) -> Path:
        """A copy of a program that looks for its files where they were unpacked, from there on, and
        not where they would be installed: Debian's Alertmanager has no option for its templates.
        """
        found = (package.root / "usr" / "bin" / program).read_bytes()
        copy = self._folder / program
        # As many bytes as before.
        copy.write_bytes(found.replace(b"/usr/share/prometheus/", b"usr/share/prometheus//"))
        copy.chmod(0o755)
        return copy


def impatient(rules: dict[str, Any]) -> dict[str, Any]:
    """The same rules, which wait a tenth of the time."""
    for group in rules["groups"]:
        for rule in group["rules"]:
            for wait in {"for", "keep_firing_for"} & rule.keys():
                rule[wait] = f"{int(rule[wait].removesuffix('m')) * 60 // IMPATIENCE}s"
    return rules


def _shipped(name: str) -> Any:
    return yaml.safe_load((PROMETHEUS / name).read_text(encoding="utf-8"))
