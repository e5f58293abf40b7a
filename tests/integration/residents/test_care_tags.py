"""Care tags in a real database: who has them, and that nobody else can tell."""

import pytest

from chassis.errors import Forbidden, Invalid, NotFound
from chassis.ids import new_id
from services.residents.care.vocabulary import TAGS
from services.residents.errors import CareTagGiven
from tests.integration.residents.test_areas import plan_of
from tests.integration.residents.town import a_town, its_people
from tests.integration.residents.world import COMMUNITY, World, caller

BUILDING = f"{COMMUNITY}.e1.g1.b1"
SECRETARY = (f"area:{COMMUNITY}", "care_tags.read", "care_tags.write", "residents.read")
CLERK = (f"area:{COMMUNITY}", "residents.read", "residents.write", "households.read")


@pytest.fixture
def elder(world):
    """Somebody who lives alone."""
    world.add_community("e1", "e1.g1", "e1.g1.b1", "e2")
    return world.register(area=BUILDING)["id"]


def tagged(page):
    return [(item["resident"], item["tag"]) for item in page["items"]]


def test_a_secretary_gives_a_tag_reads_it_and_ends_it(world, elder):
    secretary = caller(*SECRETARY)
    given = world.give_care_tag(elder, "elder_alone", secretary, note="每周三上门")

    assert given == {
        "id": given["id"],
        "resident": elder,
        "tag": "elder_alone",
        "area": None,
        "note": "每周三上门",
        "from": "2026-11-01",
        "to": None,
        "given_by": secretary.actor.id,
        "ended_by": None,
    }
    assert world.care_tags_of(elder, secretary)["items"] == [given]
    ended = world.end_care_tag(elder, given["id"], secretary)
    assert ended["ended_by"] == secretary.actor.id
    assert ended["to"] == "2026-11-01"
    assert world.care_tags_of(elder, secretary)["items"] == [ended]


def test_no_event_says_anything_of_it(world, elder):
    before = len(world.events())

    tag = world.give_care_tag(elder, "elder_alone")["id"]
    world.end_care_tag(elder, tag)

    assert len(world.events()) == before


def test_a_note_is_sealed_under_the_person_s_key(world, elder):
    world.give_care_tag(elder, "elder_alone", note="金丝雀")

    (row,) = world.rows("care_tags")
    assert "金丝雀" not in row
    assert "金丝雀".encode().hex() not in row


def test_the_people_of_an_area_with_a_tag_are_listed(world, elder):
    child = world.register(area=f"{COMMUNITY}.e2")["id"]
    world.give_care_tag(elder, "elder_alone")
    world.give_care_tag(elder, "disabled")
    world.give_care_tag(child, "child_in_difficulty")
    over = world.give_care_tag(child, "disabled")["id"]
    world.end_care_tag(child, over)

    assert tagged(world.care_tags()) == [
        (elder, "elder_alone"),
        (elder, "disabled"),
        (child, "child_in_difficulty"),
    ]
    assert tagged(world.care_tags(tag="disabled")) == [(elder, "disabled")]
    assert tagged(world.care_tags(within=f"{COMMUNITY}.e2")) == [(child, "child_in_difficulty")]
    first = world.care_tags(limit=2)
    assert len(first["items"] + world.care_tags(after=first["next"])["items"]) == 3
    assert set(first["items"][0]) == {"id", "resident", "tag", "area", "from", "to"}


@pytest.mark.parametrize("may", [CLERK, ("own", "residents.read", "households.read")])
def test_to_everybody_else_a_person_has_no_tags_whether_they_have_or_not(world, elder, may):
    tag = world.give_care_tag(elder, "elder_alone")["id"]
    call = caller(*may, person=elder)
    nobody = str(new_id())

    for person in (elder, nobody):
        for refused in (
            lambda person=person: world.care_tags_of(person, call),
            lambda person=person: world.give_care_tag(person, "elder_alone", call),
            lambda person=person: world.end_care_tag(person, tag, call),
        ):
            with pytest.raises(NotFound):
                refused()
    with pytest.raises(Forbidden):
        world.care_tags(call)
    assert "elder_alone" not in str(world.resident(elder, call))


def test_a_secretary_of_another_community_has_nothing_to_do_with_it(world, elder):
    world.give_care_tag(elder, "elder_alone")
    other = caller("area:340603008003", "care_tags.read", "care_tags.write")

    assert world.care_tags(other)["items"] == []
    with pytest.raises(NotFound):
        world.care_tags_of(elder, other)


def test_a_person_has_one_open_tag_of_a_kind(world, elder):
    call = caller()
    tag = world.give_care_tag(elder, "disabled", call)

    assert world.give_care_tag(elder, "disabled", call) == tag
    with pytest.raises(CareTagGiven):
        world.give_care_tag(elder, "disabled")
    world.end_care_tag(elder, tag["id"])
    assert world.give_care_tag(elder, "disabled")["id"] != tag["id"]


def test_a_tag_is_of_its_person_and_begins_on_no_day_to_come(world, elder):
    tag = world.give_care_tag(elder, "disabled")["id"]
    other = world.register(area=BUILDING)["id"]

    with pytest.raises(NotFound):
        world.end_care_tag(other, tag)
    with pytest.raises(Invalid):
        world.give_care_tag(elder, "severely_ill", **{"from": "2999-01-01"})


def test_the_audit_says_the_same_of_somebody_with_tags_and_somebody_without(world, elder):
    other = world.register(area=BUILDING)["id"]
    tag = world.give_care_tag(elder, "disabled")["id"]
    world.end_care_tag(elder, tag)
    world.care_tags_of(elder)
    world.care_tags()
    world.care_tags_of(other)

    def entries(person):
        items = world.audit_of(person)["items"]
        return {(item["action"], *item["fields"]) for item in items if item["action"] == "care"}

    assert entries(elder) == entries(other) == {("care", "care_tags")}
    (listed,) = (item for item in world.audit(action="care")["items"] if not item["subject"])
    assert listed["people"] == 0


def test_every_tag_has_a_name_in_both_languages():
    assert all(set(names) == {"zh", "en"} for names in TAGS.values())


def test_the_list_of_an_area_walks_its_people_and_no_table(owner_session):
    a_town(owner_session, buildings=100, doors=40)
    its_people(owner_session, past=0)
    world = World(owner_session)

    plan = plan_of(owner_session, lambda: world.care_tags(within=COMMUNITY))

    assert "care_tags" in plan
    assert "Seq Scan on residents" not in plan
