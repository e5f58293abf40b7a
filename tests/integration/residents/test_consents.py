"""What people agree to and take back, and all that is held on them, in a real database."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from marshmallow import ValidationError
from sqlalchemy.orm import Session

from chassis.errors import NotFound
from services.residents.errors import ConsentGiven
from services.residents.reach import Denied, Hidden
from tests.integration.residents.world import COMMUNITY, World, a_phone, an_id_number, caller


def test_a_consent_says_to_what_since_when_and_to_whom(world):
    person = world.register()["id"]
    call = caller()

    consent = world.consent(person, "care_visits", call)

    assert consent["purpose"] == "care_visits"
    assert consent["names"]["en"] == "regular visits and care"
    assert consent["given_at"] == "2026-11-01T16:00:00.000000+08:00"
    assert (consent["given_to"], consent["withdrawn_at"]) == (call.actor.id, None)


def test_what_was_taken_back_stays_and_can_be_given_again(world):
    person = world.register()["id"]
    first = world.consent(person)

    withdrawn = world.withdraw(person, first["id"])
    second = world.consent(person)

    assert withdrawn["withdrawn_at"]
    assert [item["id"] for item in world.consents(person)["items"]] == [first["id"], second["id"]]
    page = world.consents(person, limit=1)
    assert [item["id"] for item in world.consents(person, after=page["next"])["items"]] == [
        second["id"]
    ]


def test_nobody_agrees_to_the_same_twice(world):
    person = world.register()["id"]
    call = caller()
    first = world.consent(person, call=call)

    assert world.consent(person, call=call) == first
    with pytest.raises(ConsentGiven):
        world.consent(person)
    assert world.consent(person, "photos")["id"] != first["id"]


def test_a_consent_is_taken_back_once(world):
    person = world.register()["id"]
    consent = world.consent(person)["id"]

    assert world.withdraw(person, consent) == world.withdraw(person, consent)


def test_of_two_at_once_one_is_kept(concurrent):
    with Session(concurrent) as session, session.begin():
        person = World(session).register()["id"]

    def agree(_):
        with Session(concurrent) as session, session.begin():
            try:
                return World(session).consent(person)["id"]
            except ConsentGiven:
                return None

    with ThreadPoolExecutor(4) as pool:
        made = [found for found in pool.map(agree, range(4)) if found]

    assert len(made) == 1


def test_another_persons_consent_is_not_found(world):
    one, other = world.register()["id"], world.register()["id"]
    consent = world.consent(one)["id"]

    with pytest.raises(NotFound):
        world.withdraw(other, consent)


def test_people_agree_for_themselves_and_staff_for_residents_of_their_area(world):
    world.add_community()
    person = world.register(area=COMMUNITY)["id"]
    myself = caller("own", "residents.consent", "residents.read", person=person)

    consent = world.consent(person, call=myself)
    world.withdraw(person, consent["id"], caller(f"area:{COMMUNITY}", "residents.consent"))

    with pytest.raises(Hidden):
        world.consent(person, call=caller("area:340603008003"))
    with pytest.raises(Denied):
        world.consent(person, call=caller(f"area:{COMMUNITY}", "residents.read"))


def test_a_purpose_is_one_of_those_that_are_explained(world):
    with pytest.raises(ValidationError):
        world.consent(world.register()["id"], "selling")


def test_nothing_is_agreed_to_by_the_erased(world):
    person = world.register()["id"]
    world.erase(person)

    with pytest.raises(NotFound):
        world.consent(person)


def test_an_export_is_all_that_is_held_and_is_noted(world):
    world.add_community()
    phone, id_number = a_phone(), an_id_number()
    known = {"phone": phone, "id_number": id_number, "address": "501", "area": COMMUNITY}
    person = world.register("王小明", **known)["id"]
    duty = world.start_duty(person, "clerk", area=COMMUNITY)
    consent = world.consent(person)

    held = world.export(person, caller("own", "residents.export", person=person))

    assert held["resident"] | {"registered_at": ""} == {
        "id": person,
        "name": "王小明",
        "phone": f"+86{phone}",
        "id_number": id_number,
        "email": None,
        "address": "501",
        "area": COMMUNITY,
        "locale": "zh-CN",
        "registered_at": "",
        "erased_at": None,
    }
    assert [held["duties"], held["homes"], held["care_tags"]] == [[duty], [], []]
    assert held["consents"] == [consent]
    assert world.audit_of(person)["items"][0]["action"] == "export"


def test_only_who_may_is_given_an_export(world):
    world.add_community()
    person = world.register(area=COMMUNITY)["id"]

    with pytest.raises(Denied):
        world.export(person, caller(f"area:{COMMUNITY}", "residents.read", "residents.disclose"))
    with pytest.raises(Hidden):
        world.export(person, caller("own", person=world.register()["id"]))


def test_care_tags_are_exported_to_the_person_and_to_nobody_else(world):
    person = world.register()["id"]
    world.give_care_tag(person, "elder_alone", note="每周二走访")

    mine = world.export(person, caller("own", "residents.export", person=person))
    others = world.export(person, caller("any", "residents.export"))

    assert [tag["note"] for tag in mine["care_tags"]] == ["每周二走访"]
    assert others["care_tags"] == []


def test_care_tags_go_with_the_person(world):
    person = world.register()["id"]
    world.give_care_tag(person, "elder_alone", note="每周二走访")

    world.erase(person)

    assert world.care_tags_of(person)["items"] == []
