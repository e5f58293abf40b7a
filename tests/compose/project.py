"""One compose project on a real engine, with secrets and ports of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.local.places import ROOT
from deploy.local.ports import free_port

FILES = ("docker-compose.yml", "docker-compose.dev.yml")
_READ = """
import urllib.request
print(urllib.request.urlopen("http://127.0.0.1:9100/metrics").read().decode())
"""
PORTS = ("HTTP", "HTTPS", "POSTGRES", "AMQP", "MANAGEMENT", "SMS")
SCALE = {"residents": 1, "tickets": 3, "notifications": 1, "gateway": 2}
SERVICES = tuple(SCALE)
FIRST = 10
"""Issues of the demo month that are played."""


class Project:
    """What `docker compose` does to it."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.secrets = folder / "secrets"
        names = {"HTTP": "LINLI_HTTP", "HTTPS": "LINLI_HTTPS"}
        self.ports = {each: free_port() for each in PORTS}
        ports = {names.get(each, f"LINLI_{each}_PORT"): str(self.ports[each]) for each in PORTS}
        self._environ = {
            **{key: text for key, text in os.environ.items() if not key.startswith("LINLI_")},
            **ports,
            "LINLI_SECRETS": str(self.secrets),
        }
        subprocess.run([ROOT / "deploy/compose/secrets", self.secrets], check=True)

    @property
    def url(self) -> str:
        """The proxy, over plain HTTP as developers have it."""
        return f"http://127.0.0.1:{self.ports['HTTP']}"

    @property
    def tls_url(self) -> str:
        """The proxy, as everybody else has it."""
        return f"https://localhost:{self.ports['HTTPS']}"

    def secret(self, name: str) -> str:
        """What is in one of its secrets."""
        return (self.secrets / name).read_text().strip()

    def amqp_uri(self, account: str) -> str:
        """An account's, as it is reached from here."""
        uri = self.secret(f"amqp_uri_{account}")
        return uri.replace("@rabbitmq/", f"@127.0.0.1:{self.ports['AMQP']}/")

    def compose(
        self, *arguments: str, files: tuple[str, ...] = FILES, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """`docker compose`, in the folder of the files."""
        named = [part for file in files for part in ("-f", file)]
        return subprocess.run(
            ["docker", "compose", "-p", self.name, *named, *arguments],
            cwd=ROOT,
            env={**self._environ, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def do(self, *arguments: str) -> str:
        """What a command of compose answers; it must succeed."""
        done = self.compose(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.stdout[-500:]} … {done.stderr[-500:]}"
        return done.stdout

    def linli(self, *arguments: str) -> str:
        """What the operator's command answers; it must succeed."""
        return self.do("run", "--rm", "--no-TTY", "linli", *arguments)

    def up(self, **scale: int) -> float:
        """Bring it up and wait until all of it is healthy; the seconds that took."""
        began = time.monotonic()
        replicas = [part for name, n in scale.items() for part in ("--scale", f"{name}={n}")]
        done = self.compose("up", "-d", "--wait", *replicas)
        logs = "" if done.returncode == 0 else self.do("logs", "--no-color", "--tail", "5")
        assert done.returncode == 0, f"{done.stderr[-500:]}\n{logs}"
        return time.monotonic() - began

    def containers(self, service: str) -> list[str]:
        """The ids of a service's running containers."""
        return self.do("ps", "-q", service).split()

    def roll(self, *services: str) -> str:
        """Replace every container of these services, as an operator does for a new version."""
        done = subprocess.run(
            [ROOT / "deploy/compose/roll", *services],
            cwd=ROOT,
            env={
                **self._environ,
                "COMPOSE_PROJECT_NAME": self.name,
                "COMPOSE_FILE": ":".join(FILES),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def docker(*arguments: str) -> str:
    """What `docker` answers; it must succeed."""
    command = ["docker", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout


def kill(container: str) -> None:
    """`kill -9` of all that runs in a container, as in a crash. The engine starts it again, as
    it does not after `docker kill`.
    """
    subprocess.run(["docker", "exec", container, "sh", "-c", "kill -9 -1"], check=False)


def figure(container: str, name: str) -> float:
    """What a service says of itself at /metrics: the sum over a figure's labels."""
    lines = docker("exec", container, "python", "-c", _READ).splitlines()
    named = [line for line in lines if line.startswith((f"{name} ", f"{name}{{"))]
    return sum(float(line.rpartition(" ")[2]) for line in named)


def inspect(container: str) -> dict[str, Any]:
    """What the engine says of a container or an image."""
    [found] = json.loads(docker("inspect", container))
    return dict(found)


@contextmanager
def demo(home: Path, ready: Mapping[str, Any], first: int) -> Iterator[subprocess.Popen[str]]:
    """The first so many issues of the demo month, being played."""
    (home / "ready.json").write_text(json.dumps(ready))
    command = [sys.executable, "-m", "deploy.demo", "--first", str(first)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "LINLI_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as playing:
        try:
            yield playing
        finally:
            if playing.poll() is None:
                playing.kill()


def tokens(home: Path) -> dict[str, str]:
    """The keys of those who act in the demo, as far as they have been made."""
    kept = home / "demo.json"
    return dict(json.loads(kept.read_text() or "{}").get("tokens", {})) if kept.exists() else {}
