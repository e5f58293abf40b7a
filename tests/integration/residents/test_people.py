"""People in a real database: registered, found, amended, masked in every answer."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from chassis.call import Actor, Call, Grant, system_call
from chassis.errors import Forbidden, Invalid, NotFound
from chassis.ids import new_id
from services.residents import schemas
from services.residents.commands import people
from services.residents.errors import PhoneWithdrawn, ResidentExists
from services.residents.models import Resident, ResidentKey
from services.residents.vault import SealBroken, Vault
from services.residents.withdrawn_phones import WithdrawnPhone
from tests.integration.residents.world import (
    COMMUNITY,
    HOLD,
    VAULT,
    World,
    a_phone,
    an_id_number,
    caller,
)

CLERK = f"area:{COMMUNITY}"


def ids(page):
    return [item["id"] for item in page["items"]]


def test_a_registered_person_is_answered_masked(world):
    world.add_community("e1")

    person = world.register(
        "王小明",
        phone="138 0013 1234",
        id_number="11010519491231002x",
        email="wang@example.org",
        area=f"{COMMUNITY}.e1",
        address="三号楼二单元 501",
        locale="en",
    )

    assert person == {
        "id": person["id"],
        "name": "王小明",
        "phone": "138****1234",
        "id_number": "110***********002X",
        "email": "w****@example.org",
        "area": f"{COMMUNITY}.e1",
        "address": "三号楼二单元 501",
        "locale": "en",
        "registered_at": "2026-11-01T16:00:00.000000+08:00",
        "version": 1,
    }
    assert world.resident(person["id"]) == person


def test_in_a_list_the_name_is_masked_too_and_the_address_left_out(world):
    person = world.register("王小明", phone=a_phone(), address="三号楼二单元 501")

    (listed,) = [item for item in world.find()["items"] if item["id"] == person["id"]]

    assert listed["name"] == "王**"
    assert listed["phone"] == person["phone"]
    assert "address" not in listed


def test_the_event_of_a_registration_says_who_and_nothing_of_them(world):
    world.add_community("e1")
    person = world.register(phone=a_phone(), area=f"{COMMUNITY}.e1")

    (event,) = world.events("resident")

    assert event["type"] == "linli.residents.resident_registered.v1"
    assert event["key"] == "resident.registered.v1.none.340603.008.002.e1"
    assert event["data"] == {"resident": person["id"]}


def test_a_person_without_a_place_has_an_event_all_the_same(world):
    world.register()

    assert world.events("resident")[0]["key"] == "resident.registered.v1.none.none"


def test_people_are_found_by_the_whole_of_a_number_or_name(world):
    phone, id_number = a_phone(), an_id_number()
    person = world.register("ＡＮＮＡ 王", phone=phone, id_number=id_number)["id"]
    world.register("Anna", phone=a_phone(), id_number=an_id_number())

    assert ids(world.find(phone=f"+86 {phone[:3]} {phone[3:]}")) == [person]
    assert ids(world.find(id_number=id_number)) == [person]
    assert ids(world.find(name="anna王")) == [person]
    assert ids(world.find(phone=a_phone())) == []
    assert ids(world.find(phone=phone, id_number=an_id_number())) == []


def test_a_clerk_finds_and_sees_people_of_their_own_place_only(world):
    world.add_community("e1", "e2")
    phone = a_phone()
    here = world.register(area=f"{COMMUNITY}.e1", phone=phone)["id"]
    nowhere = world.register()["id"]

    assert ids(world.find(caller(CLERK))) == [here]
    assert ids(world.find(caller(f"area:{COMMUNITY}.e2"), phone=phone)) == []
    for stranger in (caller(f"area:{COMMUNITY}.e2"), caller("public"), Call()):
        with pytest.raises(NotFound):
            world.resident(here, stranger)
    with pytest.raises(NotFound):
        world.resident(nowhere, caller(CLERK))


def test_everybody_sees_themselves(world):
    me = world.register()["id"]
    world.register()
    myself = caller("own", "residents.read", person=me)

    assert world.resident(me, myself)["id"] == me
    assert ids(world.find(myself)) == [me]


def test_lists_go_by_place_and_page_by_page(world):
    world.add_community("e1", "e2", "e10")
    people = {
        place: [world.register(area=f"{COMMUNITY}.{place}")["id"] for _ in range(3)]
        for place in ("e10", "e2", "e1")
    }

    seen, cursor = [], None
    while cursor is not None or not seen:
        page = world.find(caller(CLERK), limit=2, after=cursor)
        seen, cursor = seen + ids(page), page["next"]

    assert seen == people["e1"] + people["e2"] + people["e10"]
    assert ids(world.find(within=f"{COMMUNITY}.e1")) == people["e1"]


@pytest.mark.parametrize("field", ["phone", "id_number"])
def test_a_number_belongs_to_one_person(world, field):
    number = {"phone": a_phone, "id_number": an_id_number}[field]()
    first = world.register(**{field: number})["id"]

    with pytest.raises(ResidentExists) as refused:
        world.register("别人", **{field: number})

    assert refused.value.params == {"resident": first}


def test_who_is_in_the_way_is_not_named_to_those_who_may_not_see_them(world):
    world.add_community("e1", "e2")
    phone = a_phone()
    world.register(phone=phone, area=f"{COMMUNITY}.e1")

    with pytest.raises(ResidentExists) as refused:
        world.register(phone=phone, area=f"{COMMUNITY}.e2", call=caller(f"area:{COMMUNITY}.e2"))

    assert refused.value.params == {}


def test_a_repeated_registration_returns_the_first_and_emits_nothing(world):
    call = caller()
    first = world.register(call=call)

    assert world.register(call=call) == first
    assert len(world.events("resident")) == 1


def test_registering_needs_the_place_and_the_right_to_it(world):
    world.add_community("e1", "e2")

    with pytest.raises(Forbidden):
        world.register(area=f"{COMMUNITY}.e2", call=caller(f"area:{COMMUNITY}.e1"))
    with pytest.raises(Forbidden):
        world.register(call=caller(CLERK))
    with pytest.raises(Forbidden):
        world.register(call=caller("own"))
    with pytest.raises(Invalid) as refused:
        world.register(area=f"{COMMUNITY}.e3")
    assert refused.value.errors[0]["pointer"] == "/area"


def test_whoever_signs_in_is_known_from_then_on(world):
    phone = a_phone()

    first = world.ensure(phone)

    assert world.ensure(f"+86{phone}", name="王小明") == first
    assert len(world.events_of(first)) == 1
    # Who asked later cannot name somebody who is known.
    assert world.resident(first)["name"] is None


def test_a_reporter_named_by_phone_keeps_the_name_and_the_language(world):
    person = world.ensure(a_phone(), name="王小明", call=Call(locale="en"))

    assert world.resident(person)["name"] == "王小明"
    assert world.contact(person)["locale"] == "en"


def test_registering_someone_known_by_phone_only_completes_them(world):
    world.add_community()
    phone = a_phone()
    known = world.ensure(phone)
    call = caller(CLERK)

    person = world.register(
        "王小明", phone=phone, id_number="11010519491231002X", area=COMMUNITY, call=call
    )

    assert person["id"] == known
    assert person["name"] == "王小明"
    assert person["id_number"] == "110***********002X"
    assert [event["type"].split(".")[2] for event in world.events_of(known)] == [
        "resident_registered",
        "resident_amended",
    ]
    # Once registered they are; a repetition changes nothing, another registration is refused.
    assert world.register("王小明", phone=phone, area=COMMUNITY, call=call) == person
    with pytest.raises(ResidentExists):
        world.register("王小明", phone=phone, area=COMMUNITY)


@pytest.mark.parametrize("known", [True, False])
def test_whoever_was_registered_without_a_command_id_is_registered_all_the_same(world, known):
    phone = a_phone()
    if known:
        world.ensure(phone)
    world.register(phone=phone, call=caller(command_id=None))

    with pytest.raises(ResidentExists):
        world.register("别人", phone=phone, call=caller(command_id=None))


def test_many_who_ensure_the_same_phone_at_once_get_the_same_person(concurrent):
    phone = a_phone()

    def ensure(_number):
        with Session(concurrent) as session, session.begin():
            return World(session).ensure(phone)

    with ThreadPoolExecutor(8) as pool:
        people = set(pool.map(ensure, range(24)))

    assert len(people) == 1
    with Session(concurrent) as session:
        assert len(World(session).events_of(people.pop())) == 1


def test_amending_changes_what_is_given_and_says_only_that_it_happened(world):
    world.add_community()
    person = world.register("王小明", phone=a_phone(), address="旧")["id"]
    phone = a_phone()

    amended = world.amend(person, name="王大明", phone=phone, address=None, area=COMMUNITY)

    assert amended["name"] == "王大明"
    assert amended["phone"] == f"138****{phone[-4:]}"
    assert amended["address"] is None
    assert amended["area"] == COMMUNITY
    assert amended["version"] == 4, "one for the number that is theirs no longer, one to tell it"
    assert ids(world.find(phone=phone)) == [person]
    assert ids(world.find(name="王大明", within=COMMUNITY)) == [person]
    assert ids(world.find(name="王小明")) == []
    event = world.events("resident_amended")[0]
    assert event["data"] == {"resident": person}
    assert event["sequence"] == "0000000002"


def test_amending_to_what_is_there_changes_nothing(world):
    phone = a_phone()
    person = world.register("王小明", phone=phone)["id"]

    assert world.amend(person, name="王小明", phone=f"+86{phone}")["version"] == 1
    assert len(world.events_of(person)) == 1


def test_a_number_of_somebody_else_cannot_be_taken(world):
    phone = a_phone()
    world.register(phone=phone)
    other = world.register()["id"]

    with pytest.raises(ResidentExists) as refused:
        world.amend(other, phone=phone)

    assert phone not in repr(refused.value)


def test_people_amend_their_own_address_but_not_the_number_they_sign_in_by(world):
    world.add_community()
    me = world.register(phone=a_phone(), area=COMMUNITY)["id"]
    myself = caller("own", "residents.read", "residents.write", person=me)

    assert world.amend(me, myself, address="新", locale="en")["address"] == "新"
    for change in ({"phone": a_phone()}, {"id_number": an_id_number()}, {"area": None}):
        with pytest.raises(Forbidden):
            world.amend(me, myself, **change)


def test_a_clerk_cannot_move_people_to_where_they_may_not(world):
    world.add_community("e1", "e2")
    person = world.register(area=f"{COMMUNITY}.e1")["id"]

    with pytest.raises(Forbidden):
        world.amend(person, caller(f"area:{COMMUNITY}.e1"), area=f"{COMMUNITY}.e2")
    with pytest.raises(NotFound):
        world.amend(person, caller(f"area:{COMMUNITY}.e2"), name="某")
    with pytest.raises(Forbidden):
        world.amend(person, caller(CLERK, "residents.read"), name="某")


def test_people_give_an_e_mail_address_and_take_it_back(world):
    person = world.register("王小明", phone=a_phone(), email="Wang.Fang@Example.org")["id"]
    own = caller("own", person=person)

    assert world.resident(person)["email"] == "W****@example.org"
    assert world.contact(person)["email"] == "Wang.Fang@example.org"
    changed = world.amend(person, own, email="other@example.org")
    assert changed["email"] == "o****@example.org"
    assert "email" not in world.find(name="王小明")["items"][0]
    world.amend(person, own, email=None)
    assert world.contact(person)["email"] is None


def test_only_the_service_that_reaches_people_learns_how(world):
    phone = a_phone()
    person = world.register("王小明", phone=phone)["id"]

    assert world.contact(person) == {
        "id": person,
        "name": "王小明",
        "phone": f"+86{phone}",
        "email": None,
        "locale": "zh-CN",
    }
    everything = (Grant("any", frozenset({"residents.read", "residents.write"})),)
    for kind in ("person", "department", "anonymous"):
        with pytest.raises(Forbidden):
            world.contact(person, Call(actor=Actor(person, kind), grants=everything))
    with pytest.raises(Forbidden):
        world.contact(person, system_call("tickets"))
    with pytest.raises(NotFound):
        world.contact(str(new_id()), system_call("notifications"))


def test_without_their_key_nothing_personal_of_someone_can_be_read(world):
    phone = a_phone()
    person = world.register("王小明", phone=phone, address="三号楼", id_number=an_id_number())["id"]

    world.session.execute(delete(ResidentKey).where(ResidentKey.resident == person))
    world.session.expire_all()

    erased = world.resident(person)
    assert [erased[field] for field in ("name", "phone", "id_number", "address")] == [None] * 4
    assert world.contact(person)["phone"] is None
    (listed,) = [item for item in world.find()["items"] if item["id"] == person]
    assert listed["name"] is None
    with pytest.raises(NotFound):
        world.amend(person, name="某")


@pytest.mark.parametrize("column", ["name", "phone", "id_number", "email", "address"])
def test_a_sealed_value_copied_from_another_row_does_not_open(world, column):
    one, other = (
        world.register(
            "某", phone=a_phone(), id_number=an_id_number(), email="a@example.org", address="某"
        )["id"]
        for _ in range(2)
    )
    theirs = world.session.scalar(select(getattr(Resident, column)).where(Resident.id == other))

    world.session.execute(update(Resident).where(Resident.id == one).values({column: theirs}))
    world.session.expire_all()

    with pytest.raises(SealBroken):
        world.resident(one)


def test_a_key_copied_from_another_person_opens_nothing(world):
    one, other = (world.register("某")["id"] for _ in range(2))
    theirs = world.session.get_one(ResidentKey, other)

    world.session.execute(
        update(ResidentKey)
        .where(ResidentKey.resident == one)
        .values(key_id=theirs.key_id, wrapped=theirs.wrapped)
    )
    world.session.expire_all()

    with pytest.raises(SealBroken):
        world.resident(one)


def test_after_a_new_master_key_old_rows_open_and_new_ones_name_it(world):
    old = world.register("某")["id"]
    world.vault = Vault({"k1": bytes([1]) * 32, "k2": bytes([2]) * 32}, bytes([9]) * 32)

    new = world.register("某")["id"]

    assert world.resident(old)["name"] == world.resident(new)["name"] == "某"
    assert world.session.get_one(ResidentKey, new).key_id == "k2"
    world.vault = VAULT
    with pytest.raises(SealBroken):
        world.resident(new)


def test_a_number_that_was_taken_lets_nobody_in_until_somebody_is_given_it(world):
    phone = a_phone()
    person = world.register(phone=phone)["id"]
    assert world.ensure(phone, signing_in=True) == person

    world.amend(person, phone=None)

    with pytest.raises(PhoneWithdrawn):
        world.ensure(phone, signing_in=True)
    reporter = world.ensure(phone)
    with pytest.raises(PhoneWithdrawn):
        world.ensure(phone, signing_in=True)
    assert world.register("孙新", phone=phone)["id"] == reporter != person
    assert world.ensure(phone, signing_in=True) == reporter
    told = [event["type"].split(".")[2] for event in world.events_of(person)]
    assert told == [
        "resident_registered",
        "resident_amended",
        "resident_phone_withdrawn",
        "resident_phone_changed",
    ]


def test_a_number_that_was_taken_long_ago_lets_in_whoever_has_it_now(world):
    phone = a_phone()
    person = world.register(phone=phone)["id"]
    world.amend(person, phone=a_phone())
    long_ago = {"withdrawn_at": WithdrawnPhone.withdrawn_at - timedelta(days=91)}
    world.session.execute(update(WithdrawnPhone).values(long_ago))

    assert world.ensure(phone, signing_in=True) != person


def test_a_number_that_was_taken_back_is_its_owners_again(world):
    phone = a_phone()
    person = world.register(phone=phone)["id"]
    world.amend(person, phone=None)
    world.amend(person, phone=phone)

    assert world.ensure(phone, signing_in=True) == person


def test_of_a_number_that_was_taken_only_the_blind_index_is_kept(world):
    person = world.register(phone="13812340000")["id"]
    world.amend(person, phone=None)

    kept = world.session.scalars(select(WithdrawnPhone.phone_index)).all()
    assert kept
    assert not any(b"13812340000" in index for index in kept)


def test_who_asks_for_whoever_is_known_makes_nobody_known(world):
    phone = a_phone()
    wanted = schemas.EnsureResident().load({"phone": phone, "name": "某人", "known": True})
    call = caller("own")

    assert people.ensure(world.session, call, VAULT, wanted, hold=HOLD) == {"id": None}
    assert ids(world.find(phone=phone)) == []
    person = world.ensure(phone)
    assert people.ensure(world.session, call, VAULT, wanted, hold=HOLD) == {"id": person}
