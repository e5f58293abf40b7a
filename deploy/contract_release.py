"""contracts/released/: what others, and databases, rely on since the last release. `python -m
deploy.contract_release` writes that of the version in pyproject.toml.
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from chassis import migrate
from deploy import contract_gate, contracts
from deploy.databases import SERVICES

RELEASED = Path("contracts/released")


def main() -> int:
    """Write the present contracts as those of this version; 1 when that is out already."""
    version = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"][
        "version"
    ]
    if _is_out(version):
        print(f"{version} is out, and stays as it is: raise the version in pyproject.toml")
        return 1
    folder = RELEASED / version
    folder.mkdir(parents=True, exist_ok=True)
    for name, said in present().items():
        text = json.dumps(said, ensure_ascii=False, indent=1, sort_keys=True)
        (folder / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
    return 0


def present() -> dict[str, Any]:
    """What would be released now."""
    types = contracts.event_types()
    from services.gateway import openapi

    schemas = {name: contracts.event_schema(cls) for name, cls in types.items()}
    return {
        "bus": contract_gate.bus(),
        "events": contract_gate.events(schemas),
        "openapi": contract_gate.api(openapi.document()),
        "migrations": {
            name: "".join(migrate.heads(f"services.{name}")) for name in SERVICES
        },
    }


def last() -> dict[str, Any]:
    """What the last release promised."""
    newest = max(RELEASED.iterdir(), key=lambda path: [int(part) for part in path.name.split(".")])
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in newest.iterdir()}


def _is_out(version: str) -> bool:
    tags = subprocess.run(["git", "tag", "--list", f"v{version}"], capture_output=True, check=True)
    return bool(tags.stdout)


if __name__ == "__main__":
    sys.exit(main())
