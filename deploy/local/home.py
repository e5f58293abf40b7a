"""LINLI_HOME: what one local installation keeps between starts, and who runs in it now."""

import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from deploy.local import places
from deploy.local.ports import free_port, is_free

SETTINGS, READY, PID, LOGS = "settings.json", "ready.json", "launcher.pid", "log"
PORT_PATIENCE = 3.0
"""Seconds to wait for a port that the last run may only be about to give back."""
LARGE_LOG = 20 * 1024 * 1024
"""Bytes."""


class InUse(RuntimeError):
    """Another launcher runs in this home."""


class Home:
    """One folder. Its settings hold secrets and ports: made at first use, kept, mode 0600."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: IO[str] | None = None
        path = folder / SETTINGS
        kept = json.loads(path.read_text()) if path.exists() else {}
        self._secrets: dict[str, str] = kept.get("secrets", {})
        self._ports: dict[str, int] = kept.get("ports", {})

    @classmethod
    def of_environment(cls) -> "Home":
        """The home that LINLI_HOME names, `./.linli` when it names none."""
        return cls((places.ROOT / os.environ.get("LINLI_HOME", ".linli")).resolve())

    @property
    def exists(self) -> bool:
        """Whether anything was kept here."""
        return (self.folder / SETTINGS).exists()

    def secret(self, name: str, make: Callable[[], str] = lambda: secrets.token_urlsafe(24)) -> str:
        """A secret of this home."""
        if name not in self._secrets:
            self._secrets[name] = make()
            self._save()
        return self._secrets[name]

    def known(self, name: str) -> str | None:
        """A secret that was kept before."""
        return self._secrets.get(name)

    def keep(self, name: str, value: str) -> None:
        """Keep a secret that somebody else made."""
        self._secrets[name] = value
        self._save()

    def port(self, name: str) -> int:
        """A port of this home: the same at every start, unless somebody else has taken it."""
        if name not in self._ports or not _freed(self._ports[name]):
            self._ports[name] = free_port()
            self._save()
        return self._ports[name]

    def known_port(self, name: str) -> int | None:
        """The port without asking whether it is free, for those who want to reach who has it."""
        return self._ports.get(name)

    def log(self, name: str) -> Path:
        """Where a program's output goes."""
        return self.folder / LOGS / f"{name}.log"

    def log_of_a_start(self, name: str) -> Path:
        """The same for a program that is about to start: what grew large is set aside."""
        path = self.log(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > LARGE_LOG:
            path.rename(path.with_suffix(".log.1"))
        return path

    def enter(self) -> None:
        """Be the one launcher of this home until this process ends; raises InUse."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self.folder / PID).open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.leave()
            raise InUse(f"Linli runs in {self.folder} already; `make down` stops it") from None
        self._lock.truncate(0)
        self._lock.write(f"{os.getpid()}\n")
        self._lock.flush()
        self.forget_ready()

    def leave(self) -> None:
        """Let another launcher in."""
        if self._lock:
            self._lock.close()

    def launcher(self) -> int | None:
        """The process id of the launcher that runs here, if one does."""
        try:
            with (self.folder / PID).open() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return int(file.read())
        except (FileNotFoundError, ValueError):
            pass
        return None

    def write_ready(self, content: dict[str, object]) -> None:
        """Tell programs where everything is."""
        _write(self.folder / READY, content)

    @property
    def url(self) -> str | None:
        """Where the gateway answers that is ready here; None while there is none."""
        try:
            told = json.loads((self.folder / READY).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return str(told["url"])

    def forget_ready(self) -> None:
        """From now on nothing is ready here."""
        (self.folder / READY).unlink(missing_ok=True)

    def erase(self) -> None:
        """Remove all that was kept, and nothing that is not ours."""
        if not self.folder.exists():
            return
        shutil.rmtree(places.server_data(self.folder), ignore_errors=True)
        shutil.rmtree(self.folder / LOGS, ignore_errors=True)
        for name in (SETTINGS, READY, PID, "servers.id"):
            (self.folder / name).unlink(missing_ok=True)
        self._secrets, self._ports = {}, {}

    def _save(self) -> None:
        _write(self.folder / SETTINGS, {"secrets": self._secrets, "ports": self._ports})


def _write(path: Path, content: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
        json.dump(content, file, indent=2, ensure_ascii=False)
        file.write("\n")
    draft.rename(path)


def _freed(port: int) -> bool:
    deadline = time.monotonic() + PORT_PATIENCE
    while not is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
