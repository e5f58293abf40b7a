"""Who may see which event, and what an event says about whom it concerns."""

import json

import pytest

from chassis.call import Actor, Call, Grant
from services.gateway.feed_rules import Facts, Filters, Selection, facts_of, matches, tree_key

TICKET = {
    "area": "340603008002.e1.g2.b3",
    "department": "water",
    "departments": ["water", "roads"],
    "previous_department": "gas",
    "assignee": "p-2",
    "previous_assignee": None,
    "reporter": "p-1",
    "actor": "p-3",
    "visibility": "private",
}


def event(kind, **data):
    return {"type": kind, "subject": "s-1", "data": data}


def caller(*grants, actor="p-9"):
    made = tuple(Grant(reach, frozenset(may.split())) for reach, may in grants)
    return Selection.of(Call(actor=Actor(actor, "person"), grants=made))


def ticket(kind="assigned", **changes):
    return facts_of(event(f"linli.tickets.ticket_{kind}.v1", **(TICKET | changes)))


def test_a_ticket_event_concerns_its_place_its_people_and_all_departments_it_names():
    assert ticket() == Facts(
        type="linli.tickets.ticket_assigned.v1",
        subject="s-1",
        area="340603.008.002.e1.g2.b3.",
        departments=frozenset({"water", "roads", "gas"}),
        owners=frozenset({"p-1"}),
        holders=frozenset({"p-2"}),
        public=False,
    )


def test_whoever_files_for_somebody_else_does_not_own_the_filing():
    assert ticket("filed").owners == {"p-1"}
    assert ticket("filed", reporter=None).owners == frozenset()


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("commented", {"comment_visibility": "internal"}),
        ("excluded", {"rate": "response_rate"}),
        ("included", {"rate": "response_rate"}),
    ],
)
def test_what_is_among_staff_is_neither_the_reporters_nor_the_publics(kind, data):
    facts = ticket(kind, visibility="public", **data)
    resident = [("own", "read"), ("public", "read")]

    assert (facts.owners, facts.public) == (frozenset(), False)
    assert not caller(*resident, actor="p-1").admits(facts)
    assert caller(("holder", "read"), actor="p-2").admits(facts)
    assert caller(("department:water", "read")).admits(facts)
    assert caller(("area:340603008002", "read")).admits(facts)


def test_what_a_reporter_answered_is_theirs_and_staffs_but_not_the_publics():
    answer = {"solved": "no", "satisfied": "no", "contacted": None}
    facts = ticket("rated", visibility="public", **answer)
    resident = [("own", "read"), ("public", "read")]

    assert not caller(*resident).admits(facts)
    assert caller(*resident, actor="p-1").admits(facts)
    assert caller(("department:water", "read")).admits(facts)
    assert caller(("area:340603008002", "read")).admits(facts)


@pytest.mark.parametrize("with_facts", [True, False])
@pytest.mark.parametrize(("actor", "told"), [("p-9", None), ("p-1", "partly")])
def test_that_a_public_ticket_is_closed_everybody_sees_but_not_by_which_answer(
    actor, told, with_facts
):
    body = {**TICKET, "visibility": "public", "solved": "partly"}
    closed = event("linli.tickets.ticket_closed.v1", **body)
    facts = facts_of(closed)
    reader = caller(("own", "read"), ("public", "read"), actor=actor)

    assert reader.admits(facts)
    shown = json.loads(reader.tell(json.dumps(closed), facts if with_facts else None))
    assert shown["data"]["solved"] == told


def test_an_amendment_that_leaves_a_ticket_private_hides_what_was_said_of_it():
    assert ticket("amended").hides
    assert not ticket("amended", visibility="public").hides
    assert not ticket("commented").hides


def test_a_comment_for_everybody_is_the_reporters_and_the_publics():
    facts = ticket("commented", visibility="public", comment_visibility="public")

    assert (facts.owners, facts.public) == (frozenset({"p-1"}), True)


@pytest.mark.parametrize(
    ("kind", "data", "facts"),
    [
        ("area_added", {"code": "340603008002"}, {"area": "340603.008.002."}),
        ("department_added", {"code": "water"}, {"departments": frozenset({"water"})}),
        ("resident_registered", {"resident": "p-1"}, {"owners": frozenset({"p-1"})}),
        (
            "duty_started",
            {"person": "p-1", "area": "340603008000", "department": None},
            {"owners": frozenset({"p-1"}), "area": "340603.008."},
        ),
    ],
)
def test_an_event_of_the_registry_concerns_what_it_is_about(kind, data, facts):
    name = f"linli.residents.{kind}.v1"

    assert facts_of(event(name, **data)) == Facts(type=name, subject="s-1", **facts)


def test_what_is_malformed_concerns_nobody():
    facts = ticket(area=7, departments="water", department=["x"], reporter={}, assignee=True)

    assert (facts.area, facts.departments) == ("", {"gas"})
    assert (facts.owners, facts.holders) == (frozenset(), frozenset())


@pytest.mark.parametrize("bad", ["\0", "\ud800", "x" * 256])
def test_what_the_database_could_not_keep_is_found_out(bad):
    assert ticket().storable()
    assert not ticket(department=bad).storable()


@pytest.mark.parametrize(
    ("code", "key"),
    [
        ("340603000000", "340603."),
        ("340603008000", "340603.008."),
        ("340603008002", "340603.008.002."),
        ("340603008002.e1.g2", "340603.008.002.e1.g2."),
        ("340603008000.g4", "340603.008.g4."),
        ("34060300800", ""),
        ("340603008002.", ""),
        ("340603008002.%", ""),
        ("", ""),
    ],
)
def test_a_tree_key_begins_with_the_keys_of_all_places_above(code, key):
    assert tree_key(code) == key


@pytest.mark.parametrize(
    ("reach", "seen"),
    [
        ("any", True),
        ("public", False),
        ("own", False),
        ("holder", False),
        ("area:340603000000", True),
        ("area:340603008002.e1", True),
        ("area:340603008002.e1.g2.b3", True),
        ("area:340603008002.e1.g2.b3.u1", False),
        ("area:340603008002.e10", False),
        ("area:340603009000", False),
        ("area:", False),
        ("department:water", True),
        ("department:gas", True),
        ("department:power", False),
        ("nonsense", False),
    ],
)
def test_an_event_is_seen_by_those_in_whose_reach_it_lies(reach, seen):
    assert caller((reach, "events.read")).admits(ticket()) is seen
    assert caller((reach, "read")).admits(ticket()) is seen


def test_owners_and_holders_see_what_is_theirs():
    assert caller(("own", "read"), actor="p-1").admits(ticket())
    assert caller(("holder", "read"), actor="p-2").admits(ticket())
    assert not caller(("own", "read"), actor=None).admits(ticket(reporter=None))


def test_everybody_sees_what_is_public():
    assert caller(("public", "read"), actor=None).admits(ticket(visibility="public"))


def test_seeing_tickets_does_not_let_one_see_the_registry():
    duty = facts_of(event("linli.residents.duty_started.v1", person="p-1", area="340603008002"))

    assert not caller(("any", "read")).admits(duty)
    assert caller(("any", "events.read")).admits(duty)
    assert not caller(("any", "comments")).admits(ticket())


@pytest.mark.parametrize(
    ("filters", "matched"),
    [
        (Filters(), True),
        (Filters(types=("linli.tickets.ticket_assigned.v1", "x")), True),
        (Filters(types=("x",)), False),
        (Filters(area="340603008002"), True),
        (Filters(area="340603008003"), False),
        (Filters(area="nowhere"), False),
        (Filters(department="roads"), True),
        (Filters(department="power"), False),
        (Filters(subject="s-1"), True),
        (Filters(subject="s-2"), False),
        (Filters(subject="s-1", department="power"), False),
    ],
)
def test_filters_narrow_what_is_seen(filters, matched):
    assert matches(ticket(), filters) is matched


@pytest.mark.parametrize("with_facts", [True, False])
@pytest.mark.parametrize(
    ("grants", "actor", "named"),
    [
        ([("public", "read")], "p-9", False),
        ([("public", "read"), ("own", "read")], "p-1", True),
        ([("public", "read"), ("own", "read")], "p-9", False),
        ([("public", "read"), ("area:340603008002", "read")], "p-9", True),
        ([("public", "read"), ("holder", "events.read")], "p-2", True),
        ([("any", "events.read")], "p-9", True),
    ],
)
def test_to_whom_a_ticket_is_merely_public_its_events_name_no_person(
    grants, actor, named, with_facts
):
    filed = event("linli.tickets.ticket_assigned.v1", **{**TICKET, "visibility": "public"})
    facts = facts_of(filed) if with_facts else None

    told = json.loads(caller(*grants, actor=actor).tell(json.dumps(filed), facts))

    persons = {name: told["data"][name] for name in ("reporter", "actor", "assignee")}
    shown = {"reporter": "p-1", "actor": "p-3", "assignee": "p-2"}
    assert persons == (shown if named else dict.fromkeys(shown))
    assert told["data"].keys() == filed["data"].keys()
    assert told["data"]["departments"] == ["water", "roads"]
