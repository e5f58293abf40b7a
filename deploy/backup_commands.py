"""`linli backup` and `linli restore`."""

import argparse
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deploy.commands import REFUSED, add_command, agreed, say


def declare(commands: Any) -> None:
    """Add both to the parser."""
    text = "back everything up into a new folder while all runs on"
    command = add_command(commands, "backup", backup, text)
    command.add_argument("folder", type=Path, metavar="DIR", help="the folder of this one backup")
    text = "write nothing; look whether the backup that is there is whole"
    command.add_argument("--verify", action="store_true", help=text)
    text = "bring a backup back into empty databases and an empty broker"
    command = add_command(commands, "restore", restore, text, asks=True)
    command.add_argument("folder", type=Path, metavar="DIR", help="what `linli backup` made")


def backup(asked: argparse.Namespace) -> int:
    from deploy.backup import take

    if asked.verify:
        manifest = take.verify(asked.folder, asked.environ)
        text = f"{asked.folder} is whole: {manifest.events} events, taken {manifest.taken_at}."
    else:
        manifest = take.take(asked.folder, asked.environ, _teller(asked))
        text = f"{asked.folder} is a backup. It is of use only with the keys that it names."
    return say(asked, text, asdict(manifest))


def restore(asked: argparse.Namespace) -> int:
    from deploy.backup.restore import Restore

    prepared = Restore(asked.folder, asked.environ)
    taken_at = prepared.manifest.taken_at
    if not agreed(asked, f"Restore the backup of {taken_at}? What came after it is not in it."):
        return REFUSED
    restored = prepared.run(_teller(asked))
    handed = sum(restored.broker.unhandled.values())
    text = (
        f"Restored as of {restored.taken_at}: {restored.broker.events} events in the log, "
        f"{handed} of them again to consumers.\n"
        f"{restored.held} messages are held that people may have had: `linli deliveries held`.\n"
        "Now start the services, and then run `linli doctor`."
    )
    return say(asked, text, asdict(restored))


def _teller(asked: argparse.Namespace) -> Callable[[str], None]:
    return lambda text: None if asked.json else print(text, flush=True)
