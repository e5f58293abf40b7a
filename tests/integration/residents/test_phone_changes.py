"""A number that somebody else changed is told, and the new one waits before it signs anybody in."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from chassis import clock
from chassis.call import system_call
from services.residents import retention
from services.residents.errors import PhoneOnHold, PhoneWithdrawn
from services.residents.phone_changes import PhoneChange
from tests.integration.residents.importing import Importing, a_database, counts
from tests.integration.residents.world import (
    COMMUNITY,
    HOLD,
    World,
    a_phone,
    an_id_number,
    caller,
)

HERE = f"{COMMUNITY}.e1"
WORKER = f"area:{HERE}"


@pytest.fixture
def known(world):
    """A resident who signs in by phone, and their number."""
    world.add_community("e1")
    phone = a_phone()
    return world.register("钱多", phone=phone, area=HERE)["id"], phone


def changes(world, person):
    """The ids of the changes that were told of, oldest first."""
    told = [event for event in world.events_of(person) if "phone_changed" in event["type"]]
    return [event["data"]["change"] for event in told]


def ago(world, age):
    """Let all changes have been made so much earlier."""
    world.session.execute(update(PhoneChange).values(changed_at=PhoneChange.changed_at - age))


def let_in(world, phone):
    try:
        return world.ensure(phone, signing_in=True)
    except (PhoneOnHold, PhoneWithdrawn) as refused:
        return refused.code


@pytest.mark.parametrize("reach", [WORKER, f"area:{COMMUNITY}", "any"])
def test_a_number_that_somebody_else_gave_signs_in_a_day_later(world, known, reach):
    person, old = known
    new = a_phone()

    world.amend(person, caller(reach), phone=new)

    with pytest.raises(PhoneOnHold) as refused:
        world.ensure(new, signing_in=True)
    works_from = clock.parse(refused.value.params["works_from"])
    assert abs(works_from - clock.now() - HOLD) < timedelta(minutes=1)
    assert let_in(world, old) == "phone_withdrawn"
    assert world.ensure(new) == person
    ago(world, HOLD)
    assert let_in(world, new) == person


def test_the_number_before_is_to_be_told_and_stands_in_no_event(world, known):
    person, old = known
    new = a_phone()

    world.amend(person, caller(WORKER), phone=new)

    [change] = changes(world, person)
    told = world.contact(person, change=change)
    assert (told["phone"], told["changed_to"]) == (f"+86{old}", f"138****{new[-4:]}")
    assert world.contact(person)["phone"] == f"+86{new}"
    assert [number for number in (old, new) if number in str(world.events())] == []
    assert not any(number in row for number in (old, new) for row in world.rows("phone_changes"))


def test_the_first_number_of_somebody_who_had_none_is_told_to_nobody_and_lets_in(world):
    person = world.register(area=None)["id"]
    phone = a_phone()

    world.amend(person, phone=phone)

    assert (changes(world, person), let_in(world, phone)) == ([], person)


def test_who_may_change_their_own_number_need_not_wait(world, known):
    person, _ = known
    phone = a_phone()

    world.amend(person, caller("any", person=person), phone=phone)

    assert (changes(world, person), let_in(world, phone)) == ([], person)


def test_what_else_is_amended_changes_no_number(world, known):
    person, phone = known

    world.amend(person, caller(WORKER), phone=phone, address="新址")

    assert (changes(world, person), let_in(world, phone)) == ([], person)


def test_taking_a_number_first_and_giving_another_later_is_a_change_too(world, known):
    person, old = known
    new = a_phone()

    world.amend(person, caller(WORKER), phone=None)
    world.amend(person, caller(WORKER), phone=new)

    taken, given = changes(world, person)
    for change in (taken, given):
        assert world.contact(person, change=change)["phone"] == f"+86{old}"
    assert let_in(world, new) == "phone_on_hold"


def test_a_number_that_is_given_back_within_the_day_is_theirs_at_once(world, known):
    person, old = known
    world.amend(person, caller(WORKER), phone=a_phone())
    [change] = changes(world, person)

    world.amend(person, phone=old)

    assert let_in(world, old) == person
    assert world.contact(person, change=change)["phone"] is None, "there is nothing to tell it of"


def test_going_to_and_fro_does_not_let_a_new_number_in_sooner(world, known):
    person, old = known
    new, other = a_phone(), a_phone()
    for phone in (new, other, new):
        world.amend(person, caller(WORKER), phone=phone)

    assert let_in(world, new) == "phone_on_hold"
    ago(world, HOLD - timedelta(minutes=1))
    assert let_in(world, new) == "phone_on_hold"
    assert [world.contact(person, change=each)["phone"] for each in changes(world, person)] == [
        f"+86{old}",
        None,
        f"+86{other}",
    ]


def test_whenever_it_is_said_to_have_been_changed_it_is_told_now(world, known):
    person, _ = known

    world.amend(person, caller(WORKER), phone=a_phone())

    times = {event["type"].split(".")[2]: event["time"] for event in world.events_of(person)}
    for told in ("resident_phone_withdrawn", "resident_phone_changed"):
        assert abs(clock.parse(times[told]) - clock.now()) < timedelta(minutes=1)


def test_who_is_moved_away_with_a_new_number_is_told_too(world, known):
    person, old = known
    world.add_area(f"{COMMUNITY}.e2")
    both = caller(f"area:{COMMUNITY}")

    world.amend(person, both, phone=a_phone(), area=f"{COMMUNITY}.e2")

    [change] = changes(world, person)
    assert world.contact(person, change=change)["phone"] == f"+86{old}"


def test_anothers_change_says_nothing(world, known):
    person, _ = known
    world.amend(person, phone=a_phone())
    other = world.register(phone=a_phone())["id"]

    assert world.contact(other, change=changes(world, person)[0])["phone"] is None


def kept(world):
    return world.session.scalar(select(func.count()).select_from(PhoneChange))


def test_what_was_before_goes_with_erasure_and_after_three_days(world, known):
    person, _ = known
    world.amend(person, phone=a_phone())
    world.erase(person)
    assert kept(world) == 0

    other = world.register(phone=a_phone())["id"]
    for _ in range(2):
        world.amend(other, phone=a_phone())
        ago(world, timedelta(days=2))
    assert retention.forget_some(world.session, system_call("residents"), clock.now()) == 1
    assert kept(world) == 1


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id FROM phone_changes WHERE changed_at < now() ORDER BY changed_at LIMIT 100",
        "SELECT * FROM phone_changes WHERE resident = gen_random_uuid()"
        " AND changed_at > now() ORDER BY changed_at",
    ],
    ids=["what is over", "a person's"],
)
def test_changes_are_found_by_an_index(world, query):
    for way in ("seqscan", "bitmapscan"):
        world.session.execute(text(f"SET LOCAL enable_{way} = off"))

    plan = "\n".join(world.session.scalars(text(f"EXPLAIN {query}")))

    assert "Index" in plan
    assert "Sort" not in plan


def test_a_number_that_a_file_changes_waits_as_well(postgres):
    old, new, id_number = a_phone(), a_phone(), an_id_number()
    with a_database(postgres, ("e1",)) as engine:
        residents = Importing(engine, "residents")
        file = "姓名,手机号,身份证号,楼栋代码\n钱多,{},{},{}\n"
        residents.run(file.format(old, id_number, HERE))

        changed = residents.run(file.format(new, id_number, HERE))

        assert counts(changed) == (0, 1, 0, 0), changed["errors"]
        with Session(engine) as session:
            world = World(session)
            assert let_in(world, new) == "phone_on_hold"
            [change] = [
                event for event in world.events("resident") if "phone_changed" in event["type"]
            ]
            told = world.contact(change["subject"], change=change["data"]["change"])
            assert told["phone"] == f"+86{old}"
