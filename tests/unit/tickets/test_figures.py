"""The rates' definitions: what a ticket's history makes it count for."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tickets import figures
from services.tickets.figures import RATES, Entry, Figure, Part
from services.tickets.lifecycle import State
from tests.unit.tickets.builders import NOON, PATH

HOUR = timedelta(hours=1)
FILED = Figure(
    ticket="t", since=NOON, filed_at=NOON, area_path=PATH, channel="page", category="roads.pothole"
)
YES = {"solved": "yes", "satisfied": "yes", "contacted": None}
NO = {"solved": "no", "satisfied": "no", "contacted": None}
PARTLY = {"solved": "partly", "satisfied": "yes", "contacted": None}
IN_VAIN = {"solved": "unreachable", "satisfied": "no_answer", "contacted": None}
SILENCE = {"solved": "no_answer"}


def entry(move: str, state: str, hours: float = 1, **details: Any) -> Entry:
    return Entry(move, State(state), None, NOON + hours * HOUR, details)


ACCEPTED = entry("acceptance", "accepted", 2)
RESOLVED = entry("resolution", "resolved", 3)


def answered(answer: dict[str, Any], state: str = "closed") -> list[Entry]:
    move = "closing" if state == "closed" else "reopening"
    return [entry("follow-up", "resolved", 4, **answer), entry(move, state, 4)]


def parts(*entries: Entry, filed: Figure = FILED) -> tuple[str | None, ...]:
    *_, last = figures.through(filed, entries)
    told = figures.parts(last)
    assert set(told) == set(RATES)
    short = {Part.NUMERATOR: "1", Part.REST: "0", Part.EXCLUDED: "x", None: "-"}
    return tuple(short[told[rate]] for rate in RATES)


# solved_share, response_rate, resolution_rate, satisfaction_rate; 1 above and below the line, 0
# below only, - in neither.
@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], "00--"),
        ([ACCEPTED], "01--"),
        ([ACCEPTED, RESOLVED], "01--"),
        ([entry("refusal", "refused")], "----"),
        ([ACCEPTED, entry("withdrawal", "withdrawn")], "----"),
        ([ACCEPTED, RESOLVED, *answered(YES)], "1111"),
        ([ACCEPTED, RESOLVED, *answered(PARTLY)], "0101"),
        ([ACCEPTED, RESOLVED, *answered({**YES, "satisfied": "no_answer"})], "111-"),
        ([ACCEPTED, RESOLVED, *answered(NO, "assigned")], "0100"),
        ([ACCEPTED, RESOLVED, *answered(NO, "assigned"), RESOLVED, *answered(YES)], "1111"),
        ([ACCEPTED, RESOLVED, *answered(YES), entry("reopening", "assigned", 5)], "0111"),
        ([ACCEPTED, RESOLVED, *answered(YES), entry("reopening", "assigned"), RESOLVED], "0111"),
        ([ACCEPTED, RESOLVED, entry("follow-up", "resolved", **IN_VAIN)], "01--"),
        ([ACCEPTED, RESOLVED, entry("closing", "closed", 200, **SILENCE)], "01--"),
        (
            [ACCEPTED, RESOLVED, *answered(NO, "assigned"), entry("closing", "closed", **SILENCE)],
            "01--",
        ),
        ([ACCEPTED, RESOLVED, *answered({**YES, "contacted": "no"})], "1011"),
        ([ACCEPTED, *answered({**NO, "contacted": "no"}, "assigned"), *answered(YES)], "1011"),
        ([ACCEPTED, *answered({**YES, "contacted": "yes"})], "1111"),
    ],
)
def test_a_history_counts_as_the_definitions_say(entries: list[Entry], expected: str) -> None:
    assert parts(*entries) == tuple(expected)


@pytest.mark.parametrize(
    ("category", "hours", "in_time"),
    [("roads.pothole", 8, "1"), ("roads.pothole", 8.01, "0"), ("gas.unknown", 1, "0")],
)
def test_a_response_is_an_acceptance_within_the_category_s_plain_hours(
    category: str, hours: float, in_time: str
) -> None:
    told = parts(
        entry("acceptance", "accepted", hours), entry("amendment", "accepted", category=category)
    )

    assert told[1] == in_time


def test_only_the_first_acceptance_is_the_response() -> None:
    late = entry("acceptance", "accepted", 100)

    assert parts(ACCEPTED, entry("send-back", "accepted", 50), late)[1] == "1"


def test_who_corrects_the_category_changes_the_response_time() -> None:
    accepted = entry("acceptance", "accepted", 5)

    assert parts(accepted)[1] == "1"
    assert parts(accepted, entry("amendment", "accepted", category="roads.manhole_cover"))[1] == "0"


@pytest.mark.parametrize("rate", RATES)
def test_an_exclusion_takes_a_ticket_out_of_one_rate_until_it_is_taken_back(rate: str) -> None:
    solved = [ACCEPTED, RESOLVED, *answered(YES)]
    out, back = entry("exclusion", "closed", 6, rate=rate), entry("inclusion", "closed", rate=rate)

    expected = tuple("x" if name == rate else "1" for name in RATES)
    assert parts(*solved, out) == expected
    assert parts(out, *solved) == expected
    assert parts(*solved, out, back) == tuple("1111")


def test_what_would_not_count_anyway_is_not_counted_as_excluded() -> None:
    assert parts(entry("exclusion", "filed", rate="satisfaction_rate"))[3] == "-"


ENTRIES = st.lists(st.tuples(st.integers(0, 8), st.sampled_from([0, 0, 1, 2, 30])), max_size=12)
KINDS = [
    ACCEPTED,
    RESOLVED,
    *answered(YES),
    *answered(NO, "assigned"),
    entry("comments", "accepted"),
    entry("exclusion", "closed", rate="response_rate"),
    entry("inclusion", "closed", rate="response_rate"),
]


@given(ENTRIES)
def test_a_figure_at_a_time_is_what_the_history_until_then_makes(
    drawn: list[tuple[int, int]],
) -> None:
    entries, at = [], NOON
    for index, hours in drawn:
        at += hours * HOUR
        kind = KINDS[index]
        entries.append(Entry(kind.move, kind.state, None, at, kind.details))

    versions = list(figures.through(FILED, entries))

    assert [one.since for one in versions] == sorted({one.since for one in versions})
    for cut in {one.occurred_at for one in entries}:
        *_, known = figures.through(FILED, [one for one in entries if one.occurred_at <= cut])
        assert [one for one in versions if one.since <= cut][-1] == known
