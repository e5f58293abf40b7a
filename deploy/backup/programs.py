"""pg_dump and pg_restore: where they are, and whether they are new enough."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import URL, make_url

from deploy.commands import Refused

VARIABLE = "LINLI_POSTGRES_PROGRAMS"


class ProgramFailed(Refused):
    """A program of PostgreSQL failed; the message is its own."""


class Programs:
    """PostgreSQL's client programs: those of the folder that LINLI_POSTGRES_PROGRAMS names, else
    the first in the PATH.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        folder = environ.get(VARIABLE)
        self._folder = Path(folder) if folder else None
        self._path = environ.get("PATH", "/usr/bin:/bin")

    def check(self, server: str) -> None:
        """Raises Refused unless they can dump a server of this version, such as `18.6`."""
        said = self.run("pg_dump", ["--version"])
        found = re.search(r"(\d+)\.\d+", said)
        if found is None or int(found[1]) < int(server.partition(".")[0]):
            raise Refused(
                f"{said.strip()} cannot dump a PostgreSQL {server}: install postgresql-client of"
                f" its version, or name the folder of its programs in {VARIABLE}"
            )

    def run(self, name: str, arguments: Sequence[str], url: str | None = None) -> str:
        """What a program prints; `url` is the database that it works on. Files that it makes are
        for its owner alone. Raises ProgramFailed.
        """
        command = [str(self._folder / name) if self._folder else name, *arguments]
        # The password goes by the environment: other users see the arguments of every process.
        where = make_url(url) if url else None
        password = str(where.password or "") if where else ""
        if where:
            command += ["--dbname", _without_password(where)]
        try:
            done = subprocess.run(
                command,
                env={"PATH": self._path, "LC_ALL": "C", "PGPASSWORD": password},
                capture_output=True,
                text=True,
                check=False,
                umask=0o077,
            )
        except FileNotFoundError:
            raise Refused(
                f"{name} is not here: install postgresql-client, or set {VARIABLE}"
            ) from None
        if done.returncode:
            raise ProgramFailed(f"{name}: {_last_words(done.stderr)}")
        return done.stdout


def _without_password(url: URL) -> str:
    shown = URL.create(
        "postgresql", url.username, None, url.host, url.port, url.database, url.query
    )
    return shown.render_as_string()


def _last_words(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line]
    return " / ".join(lines[-3:]) or "failed without a word"
