"""PHP with php-amqplib as Debian has them, unpacked into the cache where they are not installed."""

from dataclasses import dataclass
from pathlib import Path

from deploy.local import debian


@dataclass(frozen=True)
class Php:
    """How a script is run: `[*command, "script.php"]` with the libraries on LD_LIBRARY_PATH."""

    command: tuple[str, ...]
    libraries: str


def php() -> Php:
    """The interpreter, which finds its extensions and php-amqplib where they were unpacked."""
    # Both trees are whole, so that no half of a machine's own PHP is mixed in.
    own = "php.*|libargon2.*|libsodium.*"
    program = debian.unpacked("php-cli", own)
    packages = debian.unpacked("php-amqplib", own)
    [binary] = program.root.glob("usr/bin/php[0-9].[0-9]")
    [multibyte] = packages.root.glob("usr/lib/php/*/mbstring.so")
    return Php(
        (
            str(binary),
            "-n",  # the machine's php.ini has no say
            *("-d", f"extension={multibyte}"),
            *("-d", f"include_path={packages.root}/usr/share/php"),
        ),
        program.environment()["LD_LIBRARY_PATH"] + ":" + packages.environment()["LD_LIBRARY_PATH"],
    )


def written(script: str, folder: Path) -> str:
    """The script as a file that PHP can run; its path."""
    path = folder / "subscribe.php"
    path.write_text(script, encoding="utf-8")
    return str(path)
