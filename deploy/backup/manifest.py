"""What a backup says of itself: migrations, rows, checksums, and which keys open it."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from deploy.commands import Refused
from deploy.settings import SettingMissing

FORMAT = 1
NAME = "manifest.json"
KEYS = ("LINLI_MASTER_KEYS", "LINLI_BLIND_INDEX_KEY", "LINLI_SECRET", "LINLI_WEBHOOK_KEY")
"""What the backup does not hold and cannot be used without."""


class Damaged(Refused):
    """A backup is not whole: a file is missing, altered or cut short."""


class WrongKeys(Refused):
    """What the environment has does not open this backup."""


@dataclass(frozen=True)
class File:
    """A file of the backup: SHA-256 and bytes."""

    name: str
    sha256: str
    bytes: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """The file as it is now."""
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        return cls(path.name, digest, path.stat().st_size)


@dataclass(frozen=True)
class Database:
    """One service's dump: its migrations (`heads`), and the rows of each table at the cut."""

    file: File
    server: str
    heads: list[str]
    rows: dict[str, int]


@dataclass(frozen=True)
class Manifest:
    """All of it. `pause_ms`: for how long nothing could be written while the cut was made; `keys`:
    fingerprints by the name of variable and key.
    """

    taken_at: str
    pause_ms: int
    databases: dict[str, Database]
    log: File
    events: int
    departments: File
    keys: dict[str, str]
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        """Put it into the folder, last of all: a backup without one is none."""
        path = folder / NAME
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            json.dump(asdict(self), file, indent=1, sort_keys=True)
            file.write("\n")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The manifest of a backup whose files are all as they were; raises Damaged."""
        try:
            manifest = cls._parse(json.loads((folder / NAME).read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise Damaged(f"{folder} is no backup: it has no {NAME}") from None
        except (ValueError, KeyError, TypeError) as error:
            raise Damaged(f"{folder / NAME} cannot be read: {type(error).__name__}") from None
        for file in manifest.files:
            _check(folder, file)
        return manifest

    @property
    def files(self) -> list[File]:
        """Everything that belongs to it."""
        dumps = [database.file for database in self.databases.values()]
        return [*dumps, self.log, self.departments]

    @classmethod
    def _parse(cls, told: dict[str, Any]) -> Self:
        if told["format"] != FORMAT:
            raise Damaged(f"its format is {told['format']}, and this Linli reads {FORMAT}")
        databases = {
            name: Database(**{**each, "file": File(**each["file"])})
            for name, each in told["databases"].items()
        }
        files = {name: File(**told[name]) for name in ("log", "departments")}
        return cls(**{**told, **files, "databases": databases})


def fingerprints(environ: Mapping[str, str]) -> dict[str, str]:
    """Each key that the environment has, by name, as something that tells whether another is the
    same and nothing else of it: scrypt, for a secret may be a text that people made up. Raises
    SettingMissing.
    """
    if missing := [variable for variable in KEYS if not environ.get(variable)]:
        raise SettingMissing(f"{', '.join(missing)} must be set, to name the keys that are needed")
    return {
        name: hashlib.scrypt(key.encode(), salt=b"linli backup", n=2**12, r=8, p=1, dklen=12).hex()
        for variable in KEYS
        for name, key in _named(variable, environ[variable])
    }


def check_keys(manifest: Manifest, environ: Mapping[str, str]) -> None:
    """Raises WrongKeys, naming them, unless every key that the backup needs is here."""
    here = set(fingerprints(environ).values())
    if wrong := sorted(name for name, print_ in manifest.keys.items() if print_ not in here):
        raise WrongKeys(
            f"other keys than the backup's: {', '.join(wrong)}; nothing has been written"
        )


def _named(variable: str, text: str) -> list[tuple[str, str]]:
    """The keys of a variable: of master keys each has an id, other lists go by the place."""
    if variable not in ("LINLI_MASTER_KEYS", "LINLI_WEBHOOK_KEY"):
        return [(variable, text)]
    parts = [part.strip() for part in text.split(",")]
    ids = [part.partition(":")[0] if ":" in part else str(at) for at, part in enumerate(parts, 1)]
    return [(f"{variable} {name}", part) for name, part in zip(ids, parts, strict=True)]


def _check(folder: Path, file: File) -> None:
    path = folder / file.name
    if not path.exists():
        raise Damaged(f"{path} is missing")
    if File.of(path) != file:
        raise Damaged(f"{path} is not what was written: its checksum differs")
