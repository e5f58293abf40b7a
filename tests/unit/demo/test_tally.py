"""Counting from events alone: whatever their order, and however often they come."""

from hypothesis import given
from hypothesis import strategies as st

from deploy.demo.tally import Figures, Tally

PLACE = "370102001099"


def event(ticket, sequence, name, state, area=PLACE, **data):
    data = {"area": area, "state": state, "version": sequence, **data}
    kind = f"linli.tickets.ticket_{name}.v1"
    return {"type": kind, "subject": ticket, "sequence": f"{sequence:010}", "data": data}


MONTH = [
    event("a", 1, "filed", "filed"),
    event("a", 2, "accepted", "accepted"),
    event("a", 3, "resolved", "resolved"),
    event("a", 4, "rated", "resolved", solved="no"),
    event("a", 5, "reopened", "assigned"),
    event("a", 6, "resolved", "resolved"),
    event("a", 7, "rated", "resolved", solved="yes"),
    event("a", 8, "closed", "closed"),
    event("b", 1, "filed", "filed"),
    event("b", 2, "refused", "refused"),
    event("c", 1, "filed", "filed"),
    event("c", 2, "resolved", "resolved"),
    event("c", 3, "rated", "resolved", solved="unreachable"),
    event("d", 1, "filed", "filed", area="340603008002"),
]


@given(st.permutations(MONTH + MONTH[:6]))
def test_neither_order_nor_repetition_changes_the_figures(events):
    tally = Tally(PLACE)

    for each in events:
        tally.take(each)

    assert tally.figures() == Figures(collected=2, solved=1, asked=1)
    assert tally.has_seen({"a": 8, "c": 3})
    assert not tally.has_seen({"c": 4})


def test_events_that_are_not_about_tickets_are_passed_over():
    tally = Tally(PLACE)

    tally.take({"type": "linli.residents.area_added.v1", "subject": PLACE, "data": {}})

    assert tally.figures() == Figures(0, 0, 0)
