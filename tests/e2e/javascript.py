"""Node, and the packages that others would read our events with."""

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

JAVASCRIPT = Path(__file__).parent / "js"


def node() -> str:
    """The program, of the machine or of the virtual environment, with the packages in place."""
    found = shutil.which("node", path=f"{Path(sys.executable).parent}:/usr/bin:/bin")
    assert found, "neither the machine nor the virtual environment has Node"
    # Of several test processes one installs, the others wait for it.
    with (JAVASCRIPT / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _installed():
            _install(Path(found).parent)
    return found


def _installed() -> bool:
    record, lock = JAVASCRIPT / "node_modules/.package-lock.json", JAVASCRIPT / "package-lock.json"
    return record.exists() and record.stat().st_mtime >= lock.stat().st_mtime


def _install(folder: Path) -> None:
    """What the lock file names, fetched from whatever registry this machine uses, once."""
    done = subprocess.run(
        [folder / "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=JAVASCRIPT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
