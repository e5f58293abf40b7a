"""Where things are kept and who runs the servers.

PostgreSQL refuses to run as root, so as root both servers run as `nobody` and their files live
under /var/lib/linli, which `nobody` can reach wherever the repository lies.
"""

import os
import pwd
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The repository."""
SYSTEM = Path("/var/lib/linli")
"""Where root keeps what `nobody` must reach."""


@dataclass(frozen=True)
class User:
    """Who a server runs as."""

    name: str
    uid: int
    gid: int


def server_user() -> User | None:
    """`nobody` when we are root; None for whoever we are."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return User(entry.pw_name, entry.pw_uid, entry.pw_gid)


def cache() -> Path:
    """Where fetched programs are shared by all homes; made when missing."""
    if os.geteuid() == 0:
        return reachable(SYSTEM / "cache")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "linli"
    try:
        return reachable(folder)
    except OSError:  # some accounts have no home to write to
        return reachable(ROOT / ".linli" / "cache")


def server_data(home: Path) -> Path:
    """Where the servers of `home` keep their data: in it, or for root under /var/lib/linli.

    The name there comes from a token in the home, so that a home made anew starts with nothing.
    """
    if os.geteuid() != 0:
        return home / "servers"
    token = home / "servers.id"
    if not token.exists():
        token.write_text(secrets.token_hex(8))
    return reachable(SYSTEM / "homes") / token.read_text().strip()


def scratch() -> Path:
    """A new folder for servers that live as long as a test run; those of dead runs go first."""
    base = reachable(SYSTEM / "trials") if os.geteuid() == 0 else Path(tempfile.gettempdir())
    prefix = f"linli-trial-{os.geteuid()}-"
    for old in base.glob(f"{prefix}*"):
        owner = old.name.removeprefix(prefix).split("-")[0]
        if owner.isdigit() and not Path("/proc", owner).exists():
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-", dir=base))
    return reachable(folder)


def reachable(folder: Path) -> Path:
    """Make `folder` and let others pass through it, whatever the umask."""
    for each in (*reversed(folder.parents), folder):
        if not each.exists():
            each.mkdir(exist_ok=True)
            each.chmod(0o755)
    if folder.stat().st_uid == os.geteuid():
        folder.chmod(0o755)
    return folder


def private(folder: Path, user: User | None) -> Path:
    """Make `folder` for `user` alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    give(folder, user)
    return folder


def give(path: Path, user: User | None) -> None:
    """Make `user` the owner, when it is not us."""
    if user is not None:
        os.chown(path, user.uid, user.gid)
