"""The folder in which the processes of one service count, each role in files of its own."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Names it to this process and to those it starts; prometheus_client reads it as it is imported."""

_PREFIX = "linli-metrics-"


def begin() -> None:
    """Make and name it, before anything is counted. What processes left that were killed is
    removed.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        pid = left.name.removeprefix(_PREFIX).partition("-")[0]
        # In a container whoever follows a dead process has its id.
        if pid.isdecimal() and (int(pid) == os.getpid() or not Path(f"/proc/{pid}").exists()):
            shutil.rmtree(left, ignore_errors=True)
    os.environ[FOLDER] = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")


def role() -> str:
    """What this process is to its service: the module that it runs. No two run the same at a time,
    and one that follows a dead one finds its files.
    """
    running = getattr(sys.modules["__main__"], "__spec__", None)
    return running.name if running else str(os.getpid())


def end() -> None:
    """Remove it."""
    shutil.rmtree(os.environ.pop(FOLDER), ignore_errors=True)
