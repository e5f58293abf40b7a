"""Every move that a ticket's state does not allow is refused with 409, which names state and
move.
"""

import itertools

import pytest

LEGAL = {
    "filed": {"acceptance", "refusal", "withdrawal"},
    "accepted": {"refusal", "withdrawal", "assignment", "resolution"},
    "assigned": {"withdrawal", "assignment", "work", "send-back", "resolution"},
    "in_progress": {"withdrawal", "assignment", "send-back", "resolution"},
    "resolved": {"follow-up", "reopening"},
    "closed": {"reopening"},
    "refused": set(),
    "withdrawn": set(),
}
"""As the table of states in the API's description has it."""
BODIES = {
    "acceptance": {},
    "refusal": {"reason": "no"},
    "assignment": {"department": "roads"},
    "work": {},
    "send-back": {"reason": "no"},
    "resolution": {"summary": "done"},
    "follow-up": {"solved": "yes", "satisfied": "yes"},
    "reopening": {"reason": "again"},
    "withdrawal": {"reason": "over"},
}
REPORTERS_OWN = {"follow-up", "reopening", "withdrawal"}
PATHS = {
    "filed": (),
    "accepted": ("acceptance",),
    "assigned": ("acceptance", "assignment"),
    "in_progress": ("acceptance", "assignment", "work"),
    "resolved": ("acceptance", "assignment", "resolution"),
    "closed": ("acceptance", "assignment", "resolution", "follow-up"),
    "refused": ("refusal",),
    "withdrawn": ("withdrawal",),
}
WORKERS = {"work", "resolution", "send-back"}
ILLEGAL = [
    (state, move) for state, move in itertools.product(LEGAL, BODIES) if move not in LEGAL[state]
]


@pytest.fixture(scope="module")
def ticket_in(community):
    """Gives a ticket in a state, the same one each time: an illegal move leaves it there."""
    made = {}

    def ticket(state):
        if state not in made:
            made[state] = community.resident().file()
            for move in PATHS[state]:
                who = _mover(community, move)
                made[state] = who.move(made[state], move, BODIES[move])
            assert made[state]["state"] == state
        return made[state]

    return ticket


def _mover(community, move):
    if move in REPORTERS_OWN:
        return community.resident()
    return community.staff("roads" if move in WORKERS else "secretary")


@pytest.mark.parametrize(("state", "move"), ILLEGAL)
def test_an_illegal_move_is_a_conflict_that_names_both(community, ticket_in, state, move):
    ticket = ticket_in(state)
    # The secretary may do all of it to one ticket or another; so only the state stands in the way.
    who = community.resident() if move in REPORTERS_OWN else community.staff("secretary")

    path = f"tickets/{ticket['id']}/{move}"
    answer = who.post(path, BODIES[move], version=ticket["version"])

    assert answer.status_code == 409, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "/problems/illegal_move"
    assert (problem["from"], problem["move"]) == (state, move)
    assert who.read(f"tickets/{ticket['id']}")["state"] == state
