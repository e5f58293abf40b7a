"""`make demo`: plays November of a community of nine old estates against what `make up` runs."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from deploy.api import Api, Refused
from deploy.demo import community, plan, report
from deploy.demo.actors import Actors
from deploy.demo.play import Play
from deploy.demo.progress import Bar
from deploy.demo.registry import NotImported, Registry
from deploy.demo.witnesses import StreamClient, Subscriber
from deploy.local.home import READY, Home


def main() -> int:
    """Play what has not been played; 0 when all three sources agree on the figures."""
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description=__doc__)
    parser.add_argument("--first", type=int, help="only so many of the month's issues")
    first = parser.parse_args().first
    home = Home.of_environment().folder
    if not (home / READY).exists():
        print("Nothing runs here: start it with `make up` first.", file=sys.stderr)
        return 1
    try:
        return _play(json.loads((home / READY).read_text()), home, plan.issues()[:first])
    except (Refused, NotImported, TimeoutError, OSError) as error:
        print(f"\nThe month could not be played: {error}", file=sys.stderr)
        return 1


def _play(ready: dict[str, Any], home: Path, issues: list[plan.Issue]) -> int:
    administrator = Api(ready["url"], ready["api_key"])
    people = Registry(administrator).provide(issues)
    actors = Actors(ready["url"], administrator, home)
    steps = plan.steps(issues)
    acting = {plan.SECRETARY, *(step.actor for step in steps)}
    actors.provide({name: people[name] for name in sorted(acting)})
    secretary = actors.api(plan.SECRETARY)
    subscriber = Subscriber(community.COMMUNITY, ready["amqp_uri"])
    client = StreamClient(community.COMMUNITY, secretary)
    play = Play(actors, people)
    with Bar("November", len(steps)) as bar:
        played = play.run(steps, bar.step)
    print("All of it was there already." if not played else f"{played} steps played.")
    versions = {ticket["id"]: ticket["version"] for ticket in play.tickets.values()}
    heard = {"AMQP": subscriber.figures(versions), "SSE": client.figures(versions)}
    return report.show(secretary, heard)


if __name__ == "__main__":
    sys.exit(main())
