"""What readers are told: the public nothing of persons, reporters nothing among staff."""

from types import SimpleNamespace
from typing import Any

import pytest

from services.tickets import access, views
from services.tickets.access import Reader
from services.tickets.names import Names
from tests.unit.tickets import builders
from tests.unit.tickets.builders import BUILDING, NOON, PATH

REPORTER, FILER, CLERK, WORKER, MOTHER = "rrr", "fff", "ccc", "www", "mmm"
NAMES = Names(
    {code: {"names": {"zh": f"地{code[-2:]}"}, "level": "building"} for code in PATH},
    {"water": {"names": {"zh": "水务局", "en": "Water"}}},
)
TICKET = builders.ticket(
    "resolved",
    reporter=REPORTER,
    on_behalf_of=MOTHER,
    filed_by=FILER,
    accepted_by=CLERK,
    responsible=WORKER,
    assignee=WORKER,
    department="water",
    address="3-2-601",
    visibility="public",
    resolution="已修好",
    solved="no",
    satisfied="no",
    latitude=33.9,
    longitude=116.8,
)


def told(reader: Reader) -> dict[str, Any]:
    return views.ticket(TICKET, reader, NAMES, NOON)


def reader(insider: bool, *may: str, locale: str = "zh-CN", actor: str | None = None) -> Reader:
    return Reader(actor, locale, frozenset({"read", *may}), insider, for_whom=insider)


def test_the_public_learns_nothing_of_persons() -> None:
    everything = repr(told(reader(insider=False)))

    assert "已修好" in everything
    for personal in (REPORTER, FILER, CLERK, WORKER, MOTHER, TICKET.address or ""):
        assert personal not in everything


def test_those_concerned_see_who_is() -> None:
    shown = told(reader(True, "reopening"))

    assert shown["reporter"] == REPORTER
    assert shown["on_behalf_of"] == MOTHER
    assert shown["responsible"] == shown["assignee"] == WORKER
    assert shown["holder"] == {"kind": "person", "id": WORKER}
    assert shown["follow_up"] == {"solved": "no", "satisfied": "no", "contacted": None}
    assert shown["moves"] == ["reopening"]
    assert shown["location"] == {"lat": 33.9, "lon": 116.8}


@pytest.mark.parametrize(
    ("locale", "category", "department"),
    [("zh-CN", "停水", "水务局"), ("en", "No water", "Water"), ("fr", "停水", "水务局")],
)
def test_names_are_in_the_readers_language(locale: str, category: str, department: str) -> None:
    shown = told(reader(True, locale=locale))

    assert shown["category_name"] == category
    assert shown["department_name"] == department


def test_a_place_has_its_path() -> None:
    shown = told(reader(True))

    assert shown["area"] == BUILDING
    assert [place["code"] for place in shown["area_path"]] == list(PATH)
    assert shown["area_name"] == "地b3"


def test_a_code_that_nothing_is_known_of_stands_for_itself() -> None:
    shown = views.ticket(TICKET, reader(True), Names({}, {}), NOON)

    assert shown["area_name"] == BUILDING
    assert shown["department_name"] == "water"


def test_times_are_in_china() -> None:
    assert told(reader(True))["filed_at"] == "2026-11-01T12:00:00.000000+08:00"


def entry(move: str, actor: str = CLERK) -> Any:
    return SimpleNamespace(
        sequence=3,
        event="ticket_sent_back",
        move=move,
        from_state="assigned",
        to_state="accepted",
        version=3,
        department=None,
        assignee=None,
        actor=actor,
        actor_kind="person",
        occurred_at=NOON,
        recorded_at=NOON,
        reason="不归我们管",
        details={"a": 1},
    )


@pytest.mark.parametrize(
    ("move", "who", "is_told"),
    [
        ("refusal", reader(True), True),
        ("send-back", reader(True), False),
        ("assignment", reader(True), False),
        ("send-back", reader(True, "internal_comments"), True),
        ("send-back", reader(True, actor=CLERK), True),
        ("refusal", reader(False), False),
    ],
    ids=["reporters read refusals", "but not send-backs", "nor notes", "staff do", "own", "public"],
)
def test_whom_the_words_of_a_step_are_told(move: str, who: Reader, is_told: bool) -> None:
    shown = views.step(entry(move), who)

    assert (shown["reason"] is not None) == is_told
    assert (shown["details"] != {}) == is_told


def test_the_public_sees_what_happened_but_not_by_whom() -> None:
    shown = views.step(entry("refusal"), reader(False))

    assert (shown["from"], shown["to"], shown["by"]) == ("assigned", "accepted", None)


def test_who_lost_a_ticket_by_their_own_move_is_still_told_what_came_of_it() -> None:
    water = builders.department_clerk("water")
    sent_back = builders.ticket("accepted", reporter=REPORTER)

    shown = views.ticket(sent_back, access.mover(water, sent_back), NAMES, NOON)

    assert shown["state"] == "accepted"
    assert shown["moves"] == []
