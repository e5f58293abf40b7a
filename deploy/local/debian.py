"""Debian's packages without root and without installing: fetched by apt, unpacked into a cache.

apt gets its own state and cache folders and only Debian's own sources, for others may be out of
reach and we want nothing of them; it still checks signatures and hashes.
"""

import fcntl
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local import places

STATUS = Path("/var/lib/dpkg/status")
ETC_APT = Path("/etc/apt")
DEBIAN_ARCHIVES = ("debian", "debian-security")


class CannotFetch(RuntimeError):
    """The packages could not be fetched; the message says what to do instead."""


@dataclass(frozen=True)
class Unpacked:
    """A tree of unpacked packages."""

    root: Path

    def environment(self) -> dict[str, str]:
        """What a program of the tree needs to find its own and the system's programs, libraries."""
        libraries = [*self.root.glob("usr/lib/*-linux-gnu*"), *self.root.glob("lib/*-linux-gnu*")]
        path = [f"{self.root}/usr/sbin", f"{self.root}/usr/bin", "/usr/sbin:/usr/bin:/sbin:/bin"]
        return {
            "PATH": ":".join(path),
            "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
            "LANG": "C.UTF-8",
        }


def unpacked(package: str, own: str = "") -> Unpacked:
    """The package and what it needs beyond what is installed, fetched when not there yet.

    `own`: a regular expression of further packages to fetch even when they are installed, so that
    the tree does not mix with the system's. Raises CannotFetch.
    """
    final = tree(package)
    with _alone(final):
        if not final.exists():
            _fetch(package, own, final)
    return Unpacked(final)


def tree(package: str) -> Path:
    """Where the unpacked package lies, or will."""
    return places.cache() / f"debian-{_release()['VERSION_ID']}-{platform.machine()}-{package}"


def _fetch(package: str, own: str, final: Path) -> None:
    work = final.with_name(f".{final.name}.{os.getpid()}")
    try:
        places.reachable(work / "root")
        _download(package, own, work)
        for archive in sorted((work / "cache" / "archives").glob("*.deb")):
            _run(["dpkg", "-x", str(archive), str(work / "root")])
        _relocate(work / "root", final)
        (work / "root").chmod(0o755)
        (work / "root").rename(final)
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotFetch(_advice(package, error)) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _download(package: str, own: str, work: Path) -> None:
    for folder in ("state/lists/partial", "cache/archives/partial", "parts", "log"):
        (work / folder).mkdir(parents=True)
    (work / "sources.list").write_text("\n".join(debian_sources()) + "\n")
    (work / "status").write_text(without(STATUS.read_text(), rf"{re.escape(package)}|{own}"))
    apt = ["apt-get", "-qq", *_options(work)]
    _run([*apt, "update"])
    _run([*apt, "-y", "--no-install-recommends", "--download-only", "install", package])


def _options(work: Path) -> list[str]:
    settings = {
        "Dir::State": work / "state",
        "Dir::State::status": work / "status",
        "Dir::Cache": work / "cache",
        "Dir::Etc::sourcelist": work / "sources.list",
        "Dir::Etc::sourceparts": work / "parts",
        "Dir::Log": work / "log",
        # As root apt would fetch as _apt, who cannot write here; as anyone else it cannot change.
        "APT::Sandbox::User": "root" if os.geteuid() == 0 else "",
        "Debug::NoLocking": "1",  # the system's locks are root's, and nothing is installed
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
    }
    return [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]


def debian_sources() -> list[str]:
    """The machine's sources that are Debian's `main` of its own release, as one-line entries."""
    files = [*ETC_APT.glob("sources.list"), *sorted((ETC_APT / "sources.list.d").glob("*.list"))]
    lines = [line for each in files for line in each.read_text().splitlines()]
    for each in sorted((ETC_APT / "sources.list.d").glob("*.sources")):
        for stanza in re.split(r"\n\s*\n", each.read_text()):
            lines += _as_lines(stanza)
    return [line.strip() for line in lines if _is_debians(line)]


def without(status: str, names: str) -> str:
    """dpkg's status without the packages whose name matches, as if they were not installed."""
    package = re.compile(rf"Package: ({names})\n")
    return "".join(f"{each}\n\n" for each in status.split("\n\n") if not package.match(each + "\n"))


def _as_lines(stanza: str) -> Iterator[str]:
    """One-line entries for a stanza of a `.sources` file."""
    kept = (line for line in stanza.splitlines() if not line.startswith("#"))
    fields = dict(re.findall(r"^([\w-]+):[ \t]*(.*(?:\n[ \t].*)*)$", "\n".join(kept), re.MULTILINE))
    if fields.get("Enabled", "yes").lower() == "no" or "deb" not in fields.get("Types", "").split():
        return
    signed = fields.get("Signed-By", "").strip()
    option = f"[signed-by={signed}] " if signed.startswith("/") else ""
    for uri in fields.get("URIs", "").split():
        for suite in fields.get("Suites", "").split():
            yield f"deb {option}{uri} {suite} {' '.join(fields.get('Components', '').split())}"


def _is_debians(line: str) -> bool:
    entry = re.match(r"\s*deb\s+(?:\[.*?\]\s+)?(\S+)\s+(\S+)\s+(.*)", line)
    if not entry:
        return False
    uri, suite, components = entry.groups()
    archive = uri.rstrip("/").rpartition("/")[2]
    codename = _release().get("VERSION_CODENAME", "stable")
    return archive in DEBIAN_ARCHIVES and suite.startswith(codename) and "main" in components


def _relocate(root: Path, final: Path) -> None:
    """Erlang's start scripts name the folder they are installed in."""
    for script in [*root.glob("usr/lib/erlang/bin/*"), *root.glob("usr/lib/erlang/erts-*/bin/*")]:
        if script.is_file() and not script.is_symlink() and script.read_bytes()[:2] == b"#!":
            text = script.read_text()
            script.write_text(text.replace("/usr/lib/erlang", f"{final}/usr/lib/erlang"))


def _run(command: list[str]) -> None:
    done = subprocess.run(
        ["setpriv", "--pdeathsig", "KILL", *command],  # it ends with us, however we end
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"},
        text=True,
        check=False,
    )
    if done.returncode:
        raise OSError(f"{command[0]}: {done.stdout.strip()[-600:]}")


def _advice(package: str, error: Exception) -> str:
    return (
        f"{package} could not be fetched: {error}\n"
        f"Install it (apt-get install {package}); a broker that runs elsewhere can be named in "
        "LINLI_AMQP_URI and LINLI_RABBITMQ_MANAGEMENT_URL instead."
    )


def _release() -> dict[str, str]:
    return platform.freedesktop_os_release()


@contextmanager
def _alone(final: Path) -> Iterator[None]:
    """Let one process fetch while others wait for it."""
    with final.with_name(f".{final.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
