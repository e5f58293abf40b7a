"""The month as planned is one that a community could have had."""

from collections import Counter
from itertools import pairwise

import pytest

from deploy.demo import community, plan
from services.tickets import categories, lifecycle
from services.tickets.lifecycle import State

ISSUES = plan.issues()
STEPS = plan.steps(ISSUES)


def of(issue):
    return [step for step in STEPS if step.issue is issue]


def test_sixty_issues_are_raised_and_five_stay_open():
    assert len(ISSUES) == 60
    assert sum(issue.open_because is not None for issue in ISSUES) == 5


def test_they_come_by_council_visit_fair_phone_and_page():
    channels = {issue.channel for issue in ISSUES}

    assert channels == {"meeting", "home_visit", "fair", "phone", "page"}


def test_they_go_to_grid_workers_and_three_departments():
    holders = Counter(holder for issue in ISSUES for holder in issue.holders)

    assert set(holders) == {"grid", "heating", "water", "property"}
    assert min(holders.values()) >= 5


def test_some_are_sent_back_and_assigned_elsewhere():
    assert sum(len(issue.holders) > 1 for issue in ISSUES) >= 3


def test_one_is_not_solved_at_first():
    answers = Counter(step.body["solved"] for step in STEPS if step.move == "follow-up")

    assert answers == {"yes": 55, "no": 1}


def test_all_of_it_is_in_november():
    assert min(step.at for step in STEPS).isoformat() >= plan.FIRST_DAY
    assert max(step.at for step in STEPS).isoformat() < "2025-12-01"


def test_titles_tell_the_issues_apart():
    assert len({issue.title for issue in ISSUES}) == len(ISSUES)


@pytest.mark.parametrize("issue", ISSUES, ids=lambda issue: str(issue.number))
def test_every_course_is_legal(issue):
    state = None
    for before, step in pairwise([None, *of(issue)]):
        assert before is None or before.at <= step.at
        state = after(state, step)

    assert state == (State.IN_PROGRESS if issue.open_because else State.CLOSED)


def after(state, step):
    """Where a step leads. What staff write down is accepted at once."""
    if step.move == "filing":
        return State.FILED if step.issue.channel == "page" else State.ACCEPTED
    if step.move == "comments":
        return state
    state = lifecycle.move(state, step.move)
    if step.move == "follow-up":
        return lifecycle.move(state, lifecycle.consequence(step.body["solved"], reopen=False))
    return state


@pytest.mark.parametrize("issue", ISSUES, ids=lambda issue: str(issue.number))
def test_every_issue_has_a_category_and_a_place_that_there_are(issue):
    assert categories.TREE.leaf(issue.category)
    assert community.building(issue.building) in community.places()
