"""The table of moves: every state with every move, and what an answer leads to."""

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tickets import lifecycle
from services.tickets.errors import IllegalMove
from services.tickets.lifecycle import MOVES, TRANSITIONS, State
from tests.unit.tickets.builders import NOON

# As in the design: a row a move, the states it leads from, and the one it leads to.
DESIGN = {
    "acceptance": ("filed", "accepted"),
    "refusal": ("filed accepted", "refused"),
    "withdrawal": ("filed accepted assigned in_progress", "withdrawn"),
    "assignment": ("accepted assigned in_progress", "assigned"),
    "work": ("assigned", "in_progress"),
    "send-back": ("assigned in_progress", "accepted"),
    "resolution": ("accepted assigned in_progress", "resolved"),
    "follow-up": ("resolved", "resolved"),
    "closing": ("resolved", "closed"),
    "reopening": ("resolved closed", "assigned"),
}
EVERY = list(product(State, DESIGN))


def expected(state: State, verb: str) -> State | None:
    sources, target = DESIGN[verb]
    return State(target) if state in sources.split() else None


@pytest.mark.parametrize(("state", "verb"), EVERY)
def test_every_move_leads_where_the_design_says_or_is_refused_naming_both(
    state: State, verb: str
) -> None:
    after = expected(state, verb)

    if after is not None:
        assert lifecycle.move(state, verb) == after
        return
    with pytest.raises(IllegalMove) as refused:
        lifecycle.move(state, verb)
    assert refused.value.params == {"from": str(state), "move": verb}
    assert refused.value.code == "illegal_move"
    assert refused.value.kind == "conflict"


def test_the_table_has_no_move_that_the_design_does_not_have() -> None:
    assert {verb for _, verb in TRANSITIONS} == set(DESIGN)
    assert set(MOVES) == set(DESIGN) - {"closing"}


@given(st.text())
def test_what_is_no_move_is_illegal_in_every_state(verb: str) -> None:
    if verb in DESIGN:
        return
    assert not any(lifecycle.is_legal(state, verb, None, NOON) for state in State)


@pytest.mark.parametrize("state", list(State))
def test_every_state_but_the_final_ones_can_be_left(state: State) -> None:
    can_be_left = any(expected(state, verb) not in (None, state) for verb in DESIGN)

    assert can_be_left == (state not in (State.REFUSED, State.WITHDRAWN))


@pytest.mark.parametrize(
    ("solved", "reopen", "follows"),
    [
        ("yes", False, "closing"),
        ("partly", False, "closing"),
        ("partly", True, "reopening"),
        ("no", False, "reopening"),
        ("no", True, "reopening"),
        ("unreachable", False, None),
    ],
)
def test_an_answer_closes_or_reopens(solved: str, reopen: bool, follows: str | None) -> None:
    assert lifecycle.consequence(solved, reopen) == follows


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400)))
def test_what_is_closed_can_be_reopened_for_thirty_days(later: timedelta) -> None:
    legal = lifecycle.is_legal(State.CLOSED, "reopening", NOON, NOON + later)

    assert legal == (later <= timedelta(days=30))


def test_reopening_too_late_is_an_illegal_move_like_any_other() -> None:
    with pytest.raises(IllegalMove) as refused:
        lifecycle.check(State.CLOSED, "reopening", NOON, NOON + timedelta(days=31))

    assert refused.value.params == {"from": "closed", "move": "reopening"}


@given(st.timedeltas(timedelta(0), timedelta(days=90)))
def test_an_answer_is_waited_for_seven_days_from_when_it_was_written_down(late: timedelta) -> None:
    assert lifecycle.answer_by(NOON, NOON + late) == NOON + late + timedelta(days=7)
    assert lifecycle.answer_by(NOON + late, NOON) == NOON + late + timedelta(days=7)


def test_what_waits_for_an_answer_can_be_reopened_without_a_limit() -> None:
    assert lifecycle.is_legal(State.RESOLVED, "reopening", None, NOON + timedelta(days=400))


@pytest.mark.parametrize(
    ("send_backs", "is_needed"), [(0, False), (1, False), (2, True), (3, True)]
)
def test_the_second_send_back_calls_the_secretary(send_backs: int, is_needed: bool) -> None:
    assert lifecycle.needs_secretary(send_backs) == is_needed
