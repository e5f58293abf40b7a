"""Plays the plan: every step once, however often it is interrupted and begun again."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from deploy.api import Api
from deploy.demo import community
from deploy.demo.actors import Actors
from deploy.demo.plan import SECRETARY, Issue, Step

Ticket = dict[str, Any]


class Play:
    """The month on one running system; `people`: person ids by actor."""

    def __init__(self, actors: Actors, people: Mapping[str, str]) -> None:
        self._actors = actors
        self._people = people
        self.tickets: dict[int, Ticket] = {}
        """By number of the issue, each as it was answered last."""

    def run(self, steps: Sequence[Step], done: Callable[[], None]) -> int:
        """Play all steps that have not been; `done` is called after each. How many were played."""
        was = self._played_before({step.issue.title: step.issue for step in steps})
        counts: Counter[tuple[int, str]] = Counter()
        played = 0
        for step in steps:
            key = (step.issue.number, step.move)
            counts[key] += 1
            if counts[key] > was[key]:
                self.tickets[step.issue.number] = self._play(step, counts[key])
                played += 1
            done()
        return played

    def _played_before(self, issues: Mapping[str, Issue]) -> Counter[tuple[int, str]]:
        """How often each move of each issue has been made already."""
        secretary = self._actors.api(SECRETARY)
        was: Counter[tuple[int, str]] = Counter()
        for ticket in secretary.items("tickets", area=community.COMMUNITY, limit=200):
            if issue := issues.get(ticket["title"]):
                self.tickets[issue.number] = ticket
                was.update((issue.number, move) for move in _moves(secretary, ticket["id"]))
        return was

    def _play(self, step: Step, time: int) -> Ticket:
        """Make one request; `time`: the how manieth of its kind for this issue."""
        issue, api = step.issue, self._actors.api(step.actor)
        key = f"demo-{community.COMMUNITY}-{issue.number}-{step.move}-{time}"
        body = {**step.body, "occurred_at": step.at.isoformat()}
        if step.move == "filing":
            return api.post("tickets", {**body, **self._filing(step)}, key)
        if step.assignee:
            body["assignee"] = self._people[step.assignee]
        ticket = self.tickets[issue.number]
        answer = api.post(f"tickets/{ticket['id']}/{step.move}", body, key, ticket["version"])
        return ticket if step.move == "comments" else answer

    def _filing(self, step: Step) -> dict[str, Any]:
        issue = step.issue
        wanted: dict[str, Any] = {
            "kind": "request",
            "category": issue.category,
            "title": issue.title,
            "description": issue.description,
            "area": community.building(issue.building),
            "channel": issue.channel,
        }
        if step.actor != issue.reporter:
            wanted["reporter"] = {"resident": self._people[issue.reporter]}
        return wanted


def _moves(api: Api, ticket: str) -> list[str]:
    return [row["move"] for row in api.items(f"tickets/{ticket}/history")]
