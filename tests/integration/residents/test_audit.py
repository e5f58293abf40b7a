"""The audit in a real database: what is noted, for whom it can be read, and that it stays."""

from datetime import timedelta

import pytest
from marshmallow import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from chassis import clock
from chassis.call import Actor, Call, system_call
from chassis.errors import Forbidden, Invalid, NotFound
from chassis.ids import new_id
from services.residents import audit, audit_trail, personal_schemas
from services.residents.reach import Denied, Hidden, Subject, scope
from tests.integration.residents.world import COMMUNITY, a_phone, caller

CLERK = f"area:{COMMUNITY}"
OTHER = "340603008003"


def actions(page):
    return [entry["action"] for entry in page["items"]]


def test_whoever_reads_a_person_is_noted_with_the_fields_and_no_value(world):
    world.add_community("e1")
    phone = a_phone()
    person = world.register("王小明", phone=phone, area=f"{COMMUNITY}.e1")["id"]
    call = caller(person=str(new_id()), request_id="request-1")

    world.resident(person, call)

    (entry, registered) = world.audit(person=person)["items"]
    assert entry | {"id": "", "at": ""} == {
        "id": "",
        "at": "",
        "actor": {"id": call.actor.id, "kind": "person", "api_key": None},
        "action": "read",
        "kind": "resident",
        "subject": person,
        "people": 1,
        "fields": ["address", "email", "id_number", "name", "phone"],
        "found_by": [],
        "community": COMMUNITY,
        "request_id": "request-1",
        "outcome": "done",
        "reason": None,
    }
    assert (registered["action"], registered["fields"]) == ("register", ["name", "phone"])
    assert phone not in str(world.rows("audit"))
    assert "王小明" not in str(world.rows("audit"))


def test_the_key_by_which_a_program_acted_is_noted_beside_its_owner(world):
    person = world.register()["id"]
    owner, key = str(new_id()), str(new_id())
    grants = caller().grants

    world.resident(person, Call(actor=Actor(owner, "person", {"api_key": key}), grants=grants))

    (entry, _) = world.audit(person=person)["items"]
    assert entry["actor"] == {"id": owner, "kind": "person", "api_key": key}


def test_a_page_of_a_list_is_one_entry_about_everybody_on_it(world):
    world.add_community("e1")
    people = [world.register(area=f"{COMMUNITY}.e1")["id"] for _ in range(3)]

    world.find(caller(CLERK), within=COMMUNITY)

    (listed,) = world.audit(action="list")["items"]
    assert (listed["people"], listed["subject"]) == (3, None)
    assert listed["found_by"] == ["within"]
    assert listed["community"] == COMMUNITY
    for person in people:
        assert actions(world.audit_of(person)) == ["list", "register"]


def test_what_somebody_looked_by_is_noted_even_when_nobody_was_found(world):
    world.find(phone=a_phone(), name="王小明")

    (listed,) = world.audit(action="list")["items"]
    assert (listed["people"], listed["found_by"]) == (0, ["name", "phone"])


def test_a_change_names_what_was_to_be_changed(world):
    person = world.register()["id"]

    world.amend(person, name="李四", address="三号楼")

    assert world.audit(action="change")["items"][0]["fields"] == ["address", "name"]


def test_a_service_that_is_told_a_number_is_noted(world):
    person = world.register(phone=a_phone())["id"]

    world.contact(person)

    (entry,) = world.audit(action="contact")["items"]
    assert entry["actor"]["id"] == "notifications"
    assert entry["fields"] == ["email", "name", "phone"]


@pytest.mark.parametrize(
    ("call", "error"),
    [(caller(f"area:{OTHER}"), Hidden), (caller(CLERK, "residents.write"), Denied)],
)
def test_a_refusal_knows_what_was_wanted_and_becomes_an_entry(world, call, error):
    world.add_community()
    person = world.register(area=COMMUNITY)["id"]
    with pytest.raises(error) as refusal:
        world.resident(person, call)

    audit.refused(world.session, call, refusal.value)

    entry = world.audit_of(person)["items"][0]
    assert (entry["outcome"], entry["action"]) == ("refused", "residents.read")
    assert entry["reason"] == error.code
    assert entry["community"] == COMMUNITY


def test_a_refusal_that_is_about_nobody_is_not_noted(world):
    audit.refused(world.session, caller(), Hidden("areas.read", None))

    assert world.audit()["items"] == []


def test_whoever_may_list_nobody_is_refused_rather_than_shown_nothing(world):
    with pytest.raises(Denied):
        world.find(caller("any", "areas.read"))


def test_people_read_their_own_audit_and_nobody_elses(world):
    me, other = world.register()["id"], world.register()["id"]
    myself = caller("own", "residents.audit", person=me)
    world.resident(me)

    assert actions(world.audit_of(me, myself)) == ["read", "register"]
    assert {entry["subject"] for entry in world.audit(myself)["items"]} == {me}
    with pytest.raises(NotFound):
        world.audit_of(other, myself)


def test_a_secretary_reads_the_audit_of_their_community_only(world):
    world.add_community()
    world.add_area(OTHER)
    here, there = world.register(area=COMMUNITY)["id"], world.register(area=OTHER)["id"]
    secretary = caller(CLERK, "residents.audit")

    assert [entry["subject"] for entry in world.audit(secretary)["items"]] == [here]
    assert world.audit_of(here, secretary)["items"]
    with pytest.raises(NotFound):
        world.audit_of(there, secretary)


@pytest.mark.parametrize(("reach", "seen"), [("340603008000", 2), ("340603000000", 2)])
def test_a_secretary_of_a_larger_place_reads_all_of_its_communities(world, reach, seen):
    world.add_community()
    world.add_area(OTHER)
    world.register(area=COMMUNITY), world.register(area=OTHER), world.register()

    assert len(world.audit(caller(f"area:{reach}", "residents.audit"))["items"]) == seen


def test_part_of_a_community_gives_no_right_to_its_audit(world):
    world.add_community("e1")
    world.register(area=f"{COMMUNITY}.e1")

    assert world.audit(caller(f"area:{COMMUNITY}.e1", "residents.audit"))["items"] == []


def test_without_the_right_nothing_of_the_audit_is_shown(world):
    with pytest.raises(Forbidden):
        world.audit(caller(CLERK, "residents.read"))


def test_reading_the_audit_is_noted_too(world):
    person = world.register()["id"]

    world.audit_of(person)

    assert actions(world.audit_of(person)) == ["read_audit", "register"]


def test_the_audit_is_read_page_by_page_newest_first_within_a_period(world):
    person = world.register()["id"]
    for _ in range(4):
        world.resident(person)

    seen, cursor = [], None
    while cursor is not None or not seen:
        page = world.audit(action="read", person=person, limit=2, after=cursor)
        seen, cursor = seen + page["items"], page["next"]

    assert len(seen) == 4
    assert [entry["at"] for entry in seen] == sorted((e["at"] for e in seen), reverse=True)
    middle = seen[1]["at"]
    later = world.audit(action="read", **{"from": middle})["items"]
    earlier = world.audit(action="read", to=middle)["items"]
    assert [len(later), len(earlier)] == [2, 2]


def test_entries_are_found_by_who_made_them(world):
    person = world.register()["id"]
    world.resident(person, system_call("gateway"))

    assert actions(world.audit(actor="gateway")) == ["read"]


def test_a_broken_cursor_is_refused(world):
    with pytest.raises(Invalid):
        world.audit(after="x")


@pytest.mark.parametrize("table", ["audit", "audit_people"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET at = now()", "TRUNCATE {}"])
def test_the_application_cannot_change_an_entry(world, table, change):
    world.register()

    with pytest.raises(ProgrammingError, match="permission denied"):
        world.session.execute(text(change.format(table)))


@pytest.mark.parametrize("change", ["DELETE FROM audit", "UPDATE audit SET actor = 'x'"])
def test_not_even_the_owner_changes_an_entry(owner_session, change):
    with pytest.raises(ProgrammingError, match="append-only"):
        owner_session.execute(text(change))


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"action": "a1"},
        {"actor": "actor 1"},
        {"person": "00000000-0000-0000-0000-000000000001"},
        {"to": clock.iso(clock.now() - timedelta(days=200))},
    ],
    ids=lambda wanted: next(iter(wanted), "all"),
)
@pytest.mark.parametrize("reach", ["any", CLERK])
def test_no_list_of_the_audit_walks_through_its_history(owner_session, wanted, reach):
    """Rows read for a page, at 20,000 entries over a year: a few pages' worth at most."""
    _a_year_of_entries(owner_session)
    loaded = personal_schemas.ListAudit().load(wanted)
    seen = audit_trail._in(scope(caller(reach, "residents.audit"), "residents.audit"))
    statement = audit_trail._statement(seen, loaded)
    compiled = statement.compile(owner_session.get_bind(), compile_kwargs={"literal_binds": True})

    (plan,) = owner_session.scalar(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {compiled}"))

    assert _read(plan["Plan"]) < 1_500, plan
    assert "Sort" not in str(plan)


def _a_year_of_entries(session):
    session.execute(
        text(
            """
            INSERT INTO audit (id, at, actor, actor_kind, action, kind, people, fields, found_by,
                               community, request_id, outcome)
            SELECT gen_random_uuid(), now() - i * interval '26 minutes', 'actor ' || i % 50,
                   'person', 'a' || i % 9, 'resident', 1, '{}', '{}',
                   CASE WHEN i % 4 = 0 THEN '340603008002' ELSE '340603008003' END, '', 'done'
            FROM generate_series(1, 20000) i
            """
        )
    )
    session.execute(
        text(
            """
            INSERT INTO audit_people (person, at, entry)
            SELECT ('00000000-0000-0000-0000-' || lpad((row_number() OVER () % 40)::text, 12, '0'))
                   ::uuid, at, id
            FROM audit
            """
        )
    )
    session.execute(text("ANALYZE audit, audit_people"))


def _read(plan):
    own = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    return max([own, *(_read(below) for below in plan.get("Plans", []))])


def test_a_subject_that_is_no_person_concerns_those_who_are_named(world):
    person = world.register()["id"]
    about = Subject("household", new_id(), COMMUNITY)

    audit.note(world.session, caller(), "read", about, people=[person], fields=["address"])

    entry = world.audit_of(person)["items"][0]
    assert (entry["kind"], entry["people"]) == ("household", 1)


def test_a_disclosure_shows_what_was_asked_for_and_leaves_its_reason(world):
    phone = a_phone()
    person = world.register("王小明", phone=phone)["id"]

    shown = world.disclose(person, "phone", "address", reason="回访，电话 13800131234")

    assert shown == {"phone": f"+86{phone}", "address": None}
    entry = world.audit_of(person)["items"][0]
    assert (entry["action"], entry["fields"]) == ("disclose", ["address", "phone"])
    assert entry["reason"] == "回访，电话 138****1234"


def test_who_may_only_read_is_shown_nothing_in_full(world):
    world.add_community()
    person = world.register(phone=a_phone(), area=COMMUNITY)["id"]

    with pytest.raises(Denied):
        world.disclose(person, "phone", call=caller(CLERK, "residents.read"))
    with pytest.raises(Hidden):
        world.disclose(person, "phone", call=caller(f"area:{OTHER}"))


@pytest.mark.parametrize(
    "wrong", [{"fields": []}, {"fields": ["locale"]}, {"reason": ""}, {"reason": "a\nb"}]
)
def test_a_disclosure_names_fields_and_a_reason(world, wrong):
    with pytest.raises(ValidationError):
        world.disclose(world.register()["id"], "phone", **wrong)
