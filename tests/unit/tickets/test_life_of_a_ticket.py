"""A ticket through any course of life: its counters only ever grow, and as they should."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.tickets import access, lifecycle
from services.tickets.errors import IllegalMove
from services.tickets.lifecycle import MOVES, State
from tests.unit.tickets import builders

PEOPLE = st.sampled_from([None, "clerk", "worker"])
DEPARTMENTS = st.sampled_from([None, "water", "roads"])


class Life(RuleBasedStateMachine):
    """Any moves in any order, legal or not, with any change of who has it."""

    def __init__(self) -> None:
        super().__init__()
        self.ticket = builders.ticket(accepted_by="clerk")
        self.lifecycle_changes = 0
        self.steps = 0

    @rule(verb=st.sampled_from([*MOVES, "closing"]), assignee=PEOPLE, department=DEPARTMENTS)
    def move(self, verb: str, assignee: str | None, department: str | None) -> None:
        before = self.ticket
        try:
            state = lifecycle.move(before.state, verb)
        except IllegalMove:
            assert verb not in self.legal()
            return
        after = before.changed({"state": state, "assignee": assignee, "department": department})
        self.ticket = after
        self.steps += 1
        self.lifecycle_changes += (before.state, before.assignee, before.department) != (
            after.state,
            after.assignee,
            after.department,
        )

    @rule(text=st.text(max_size=5))
    def correct(self, text: str) -> None:
        before = self.ticket
        self.ticket = before.changed({"title": text})
        self.steps += 1
        assert self.ticket.version == before.version

    def legal(self) -> list[str]:
        return [
            verb
            for verb in [*MOVES, "closing"]
            if lifecycle.is_legal(self.ticket.state, verb, None, builders.NOON)
        ]

    @invariant()
    def sequence_counts_the_steps(self) -> None:
        assert self.ticket.sequence == 1 + self.steps

    @invariant()
    def version_counts_the_changes_of_state_assignee_and_department(self) -> None:
        assert self.ticket.version == 1 + self.lifecycle_changes

    @invariant()
    def what_is_over_stays_over(self) -> None:
        if self.ticket.state in (State.REFUSED, State.WITHDRAWN):
            assert self.legal() == []

    @invariant()
    def a_caller_is_offered_only_what_is_legal(self) -> None:
        reader = access.Reader("anybody", "en", frozenset([*MOVES, "override"]), insider=True)
        assert set(access.moves(reader, self.ticket, builders.NOON)) <= set(self.legal())


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=30)
