"""A server's data on a disk of its own that can be filled: a tmpfs, which root alone may mount."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.postgres import PrivatePostgres
from deploy.local.rabbitmq import MEGABYTE, PrivateRabbitMQ

_BALLAST = "ballast"


@dataclass(frozen=True)
class Disk:
    """What is mounted at a path."""

    path: Path

    def fill(self, leave: int = 0) -> None:
        """Take all the room but so many bytes."""
        self.free()
        size = 0
        with (self.path / _BALLAST).open("wb") as ballast:
            while (room := shutil.disk_usage(self.path).free - leave) > 0:
                piece = min(room, MEGABYTE)
                with suppress(OSError):  # The server was quicker.
                    os.posix_fallocate(ballast.fileno(), size, piece)
                    size += piece

    def free(self) -> None:
        """Give it back."""
        (self.path / _BALLAST).unlink(missing_ok=True)


@contextmanager
def on_small_disk(server: PrivatePostgres | PrivateRabbitMQ, room: int) -> Iterator[Disk]:
    """The server, started anew on a disk with so many bytes to spare; at the end it is where it was
    before, with what it has by then. Skips the test where nothing may be mounted.
    """
    data = server.folder / "data"
    server.stop()
    before = data.rename(data.with_name("data-elsewhere"))
    try:
        _mount(before, data, room)
    except subprocess.CalledProcessError as error:
        before.rename(data)
        server.start()
        pytest.skip(f"only root may mount a small disk: {error.stderr.strip()}")
    try:
        _copy(before, data)
        shutil.rmtree(before)
        server.start()
        yield Disk(data)
    finally:
        Disk(data).free()
        server.stop()
        before.mkdir()
        _copy(data, before)
        _run("umount", data)
        data.rmdir()
        before.rename(data)
        server.start()


def _mount(like: Path, at: Path, room: int) -> None:
    used = int(_run("du", "-s", "--block-size=1", like).split()[0])
    at.mkdir()
    try:
        _run("mount", "-t", "tmpfs", "-o", f"size={used + room},mode=700", "linli", at)
    except subprocess.CalledProcessError:
        at.rmdir()
        raise


def _copy(source: Path, target: Path) -> None:
    _run("cp", "--archive", f"{source}/.", target)


def _run(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
