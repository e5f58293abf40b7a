"""`linli areas`, `keys` and `figures`: what is loaded, changed and counted anew in the services'
databases.
"""

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from deploy import official_areas
from deploy.commands import DONE, REFUSED, add_command, positive, say


def declare_areas(commands: Any) -> None:
    """Add the commands of `areas` to the parser."""
    add_command(commands, "fetch-official", fetch_official, "fetch the official codes, once")
    add_command(commands, "load-official", load_official, "load them into the registry")


def declare_keys(commands: Any) -> None:
    """Add the commands of `keys` to the parser."""
    command = add_command(commands, "rotate", rotate_keys, "put everything under the newest keys")
    command.add_argument("--batch", type=positive, default=500, help="at a time (500)")


def declare_figures(commands: Any) -> None:
    """Add the commands of `figures` to the parser."""
    add_command(commands, "rebuild", rebuild_figures, "make them anew from tickets' history")


def fetch_official(asked: argparse.Namespace) -> int:
    path = official_areas.fetch()
    return say(asked, f"The official area codes are in {path}.", {"archive": str(path)})


def load_official(asked: argparse.Namespace) -> int:
    loaded = official_areas.load(asked.environ)
    return say(asked, f"The registry knows {loaded} official areas.", {"areas": loaded})


def rebuild_figures(asked: argparse.Namespace) -> int:
    from services.tickets import figure_rows

    made = figure_rows.rebuild(asked.environ)
    return say(asked, f"The figures of {made} tickets are made anew.", {"tickets": made})


def rotate_keys(asked: argparse.Namespace) -> int:
    from services.notifications.webhooks import resealing
    from services.residents import rotation

    def tell(what: str) -> Callable[[int], None]:
        return lambda done: None if asked.json else print(f"{done} {what}")

    wraps = rotation.rotate(asked.environ, tell("data keys wrapped anew"), asked.batch)
    opens = resealing.reseal(asked.environ, tell("webhook secrets sealed anew"), asked.batch)
    text = f"{_wraps(wraps)}\n{_opens(opens)}"
    say(asked, text, {"wraps": wraps, "webhook_secrets": opens})
    *old, _ = wraps
    return REFUSED if opens["older"] or any(wraps[name] for name in old) else DONE


def _wraps(keys: Mapping[str, int]) -> str:
    *old, newest = keys
    left = sum(keys[name] for name in old)
    idle = [name for name in old if not keys[name]]
    text = f"{newest} wraps {keys[newest]} data keys, older ones {left}."
    return f"{text} No longer needed: {', '.join(idle)}." if idle else text


def _opens(secrets: Mapping[str, int]) -> str:
    text = "The newest webhook key opens {newest} secrets, only an older one {older}, none {none}."
    return text.format(**secrets)
