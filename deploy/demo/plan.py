"""The month as a plan: who does what to which issue, and when. Pure: issues in, steps out."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

MONTH = datetime(2025, 11, 1, tzinfo=timezone(timedelta(hours=8)))
FIRST_DAY, LAST_DAY = "2025-11-01", "2025-11-30"
CLERK, SECOND_CLERK, SECRETARY = "clerk_1", "clerk_2", "secretary"
GRID = "grid"
BUILDINGS_OF_A_GRID = 3
# Who writes down what was raised where; a page is written by whoever raises it.
_WRITES = {"meeting": CLERK, "phone": SECOND_CLERK, "fair": SECOND_CLERK, "home_visit": GRID}
_DONE = "已处理完毕，现场已请反映人查看。"
_NOT_OURS = "现场查看后不属于本单位管辖。"
_AGAIN = "问题没有解决。"


@dataclass(frozen=True)
class Issue:
    """Something that was raised. `holders` had it, one after the other; `again`: it was opened
    again once; `open_because`: why it is still open.
    """

    number: int
    at: datetime
    channel: str
    category: str
    building: int
    title: str
    description: str
    holders: Sequence[str]
    again: bool
    open_because: str | None

    @property
    def reporter(self) -> str:
        """The actor who raised it."""
        return f"reporter_{self.number}"

    @property
    def grid_worker(self) -> str:
        """The actor of the place's grid."""
        return f"grid_{grid_of(self.building)}"


@dataclass(frozen=True)
class Step:
    """One request: `actor` makes a `move` of an issue at a time. `filing` makes its ticket.

    `assignee` and `reporter` name actors whose ids belong into the body.
    """

    issue: Issue
    actor: str
    move: str
    at: datetime
    body: dict[str, Any] = field(default_factory=dict)
    assignee: str | None = None


def grid_of(building: int) -> int:
    """The number of the grid in which a building lies."""
    return (building - 1) // BUILDINGS_OF_A_GRID + 1


def issues() -> list[Issue]:
    """All of the month, in the order in which they were raised."""
    rows = tomllib.loads((Path(__file__).parent / "issues.toml").read_text())["issues"]
    return [_issue(number, row) for number, row in enumerate(rows, 1)]


def steps(all_issues: Sequence[Issue]) -> list[Step]:
    """Everything that is done in the month, in the order of time."""
    return sorted((step for issue in all_issues for step in _course(issue)), key=lambda s: s.at)


def _issue(number: int, row: Sequence[Any]) -> Issue:
    day, time, channel, category, building, title, description, course = row
    hour, minute = map(int, time.split(":"))
    holders, _, reason = course.partition(" … ")
    return Issue(
        number=number,
        at=MONTH.replace(day=day, hour=hour, minute=minute),
        channel=channel,
        category=category,
        building=building,
        title=title,
        description=description,
        holders=holders.rstrip("!").split(),
        again=holders.endswith("!"),
        open_because=reason or None,
    )


def _course(issue: Issue) -> Iterator[Step]:
    *sent_back_by, last = issue.holders
    accepted = _office(issue.at + timedelta(minutes=20))
    yield from _taken_up(issue, accepted)
    at = accepted + timedelta(minutes=20)
    for holder in sent_back_by:
        yield _assigned(issue, holder, at)
        at = _morning(at, days=1)
        yield Step(issue, holder, "send-back", at, {"reason": _NOT_OURS})
        at += timedelta(minutes=30)
    yield _assigned(issue, last, at)
    yield from _worked_on(issue, _morning(at, days=1))


def _taken_up(issue: Issue, accepted: datetime) -> Iterator[Step]:
    writer = _WRITES.get(issue.channel, issue.reporter)
    yield Step(issue, _actor(issue, writer), "filing", issue.at)
    if issue.channel == "page":
        yield Step(issue, CLERK, "acceptance", accepted)


def _assigned(issue: Issue, holder: str, at: datetime) -> Step:
    if holder == GRID:
        return Step(issue, CLERK, "assignment", at, assignee=issue.grid_worker)
    return Step(issue, CLERK, "assignment", at, {"department": holder})


def _worked_on(issue: Issue, at: datetime) -> Iterator[Step]:
    holder = _actor(issue, issue.holders[-1])
    yield Step(issue, holder, "work", at)
    if issue.open_because:
        told = {"text": issue.open_because, "visibility": "public"}
        yield Step(issue, holder, "comments", at + timedelta(hours=6), told)
        return
    resolved = at + timedelta(hours=7)
    yield Step(issue, holder, "resolution", resolved, {"summary": _DONE})
    asked = _morning(resolved, days=1) + timedelta(hours=1)
    if issue.again:
        yield _answered(issue, asked, {"solved": "no", "satisfied": "no", "reason": _AGAIN})
        again = _morning(asked, days=1)
        yield Step(issue, holder, "work", again)
        yield Step(issue, holder, "resolution", again + timedelta(hours=7), {"summary": _DONE})
        asked = _morning(again, days=1) + timedelta(hours=1)
    satisfied = "no" if issue.number % 13 == 0 else "yes"
    yield _answered(issue, asked, {"solved": "yes", "satisfied": satisfied, "contacted": "yes"})


def _answered(issue: Issue, at: datetime, answer: dict[str, str]) -> Step:
    """By whoever raised it on the page; the others are called."""
    actor = issue.reporter if issue.channel == "page" else SECOND_CLERK
    return Step(issue, actor, "follow-up", at, answer)


def _actor(issue: Issue, holder: str) -> str:
    return issue.grid_worker if holder == GRID else holder


def _office(at: datetime) -> datetime:
    """The same time, or the next morning when the office is closed by then."""
    return at if 8 <= at.hour < 18 else _morning(at, days=1 if at.hour >= 18 else 0)


def _morning(at: datetime, days: int) -> datetime:
    return (at + timedelta(days=days)).replace(hour=9, minute=at.minute)
