"""What has been kept for as long as its tag says goes, and nothing before."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update

from chassis import clock
from chassis.call import system_call
from services.residents import retention
from services.residents.models import Resident
from services.residents.personal_fields import TAGS
from services.residents.personal_models import AuditEntry, AuditPerson, Consent
from services.residents.withdrawn_phones import WithdrawnPhone
from tests.integration.residents.world import COMMUNITY, a_phone

YEAR = timedelta(days=365)


def forget(world):
    """Everything that is over; how many rows or people that was."""
    gone = 0
    while some := retention.forget_some(world.session, system_call("residents"), clock.now()):
        gone += some
    world.session.expire_all()
    return gone


def unused(world, person, since):
    moment = clock.now() - since
    statement = update(Resident).where(Resident.id == person).values(used_at=moment)
    world.session.execute(statement)


def erased(world, person):
    return world.session.scalar(select(Resident.erased_at).where(Resident.id == person)) is not None


def entry(world, age):
    """An entry of the audit, and its person, from that long ago."""
    world.session.execute(
        text(
            """
            WITH made AS (
                INSERT INTO audit (id, at, actor_kind, action, kind, people, fields, found_by,
                                   request_id, outcome)
                VALUES (gen_random_uuid(), :at, 'person', 'read', 'resident', 1, '{}', '{}', '',
                        'done') RETURNING id, at)
            INSERT INTO audit_people (person, at, entry)
            SELECT gen_random_uuid(), at, id FROM made
            """
        ),
        {"at": clock.now() - age},
    )


def test_entries_of_the_audit_go_after_three_years_and_no_sooner(world):
    for age in (4 * YEAR, 4 * YEAR - timedelta(hours=5), 3 * YEAR + timedelta(days=2), YEAR):
        entry(world, age)

    assert forget(world) == 3
    for table in (AuditEntry, AuditPerson):
        assert world.session.scalar(select(func.count()).select_from(table)) == 1


def test_the_application_cannot_make_younger_entries_go(world):
    entry(world, YEAR)

    gone = world.session.scalar(select(func.audit_forget(clock.now())))

    assert gone == 0


def test_whoever_is_known_by_phone_only_is_erased_when_not_heard_of_for_two_years(world):
    gone, heard_of = world.ensure(a_phone()), world.ensure(a_phone())
    unused(world, gone, 2 * YEAR + timedelta(days=1))
    unused(world, heard_of, 2 * YEAR - timedelta(days=1))

    assert forget(world) == 1

    assert (erased(world, gone), erased(world, heard_of)) == (True, False)
    told = [event["type"] for event in world.events_of(gone)]
    assert told[-1] == "linli.residents.resident_erased.v1"
    assert world.audit(action="erase")["items"][0]["actor"]["kind"] == "system"


def test_the_registered_and_those_with_a_duty_stay(world):
    world.add_community()
    registered, on_duty = world.register(phone=a_phone())["id"], world.ensure(a_phone())
    world.start_duty(on_duty, "clerk", area=COMMUNITY)
    for person in (registered, on_duty):
        unused(world, person, 9 * YEAR)

    assert forget(world) == 0


def test_being_heard_of_counts_anew_once_a_day(world):
    phone = a_phone()
    person = world.ensure(phone)
    unused(world, person, 2 * YEAR - timedelta(days=1))

    world.ensure(phone)

    used = world.session.scalar(select(Resident.used_at).where(Resident.id == person))
    assert clock.now() - used < timedelta(minutes=1)
    world.ensure(phone)
    again = world.session.scalar(select(Resident.used_at).where(Resident.id == person))
    assert again == used


def test_a_withdrawn_consent_goes_after_three_years_and_one_in_force_never(world):
    person = world.register()["id"]
    withdrawn, kept = world.consent(person, "photos"), world.consent(person, "notices")
    world.withdraw(person, withdrawn["id"])
    world.session.execute(
        update(Consent).values(given_at=clock.now() - 5 * YEAR, withdrawn_at=None)
    )
    long_ago = clock.now() - TAGS["consents.withdrawn_at"].kept - timedelta(days=1)
    world.session.execute(
        update(Consent).where(Consent.id == withdrawn["id"]).values(withdrawn_at=long_ago)
    )

    assert forget(world) == 1
    assert [item["id"] for item in world.consents(person)["items"]] == [kept["id"]]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id FROM residents WHERE command_id IS NULL AND erased_at IS NULL"
        " AND used_at < now() - interval '2 years' ORDER BY used_at LIMIT 100",
        "SELECT id FROM consents WHERE withdrawn_at < now() - interval '3 years'"
        " ORDER BY withdrawn_at LIMIT 100",
    ],
    ids=["people", "consents"],
)
def test_what_is_over_is_found_by_an_index(world, query):
    # The tables of a test are empty: whatever is cheap then says nothing.
    for way in ("seqscan", "bitmapscan"):
        world.session.execute(text(f"SET LOCAL enable_{way} = off"))

    plan = "\n".join(world.session.scalars(text(f"EXPLAIN {query}")))

    assert "Index" in plan
    assert "Sort" not in plan


def test_a_withdrawn_number_is_forgotten_by_itself_and_no_sooner(world):
    person = world.register(phone=a_phone())["id"]
    world.amend(person, phone=a_phone())
    world.amend(person, phone=a_phone())
    numbers = select(func.count()).select_from(WithdrawnPhone)
    first = select(func.min(WithdrawnPhone.phone_index)).scalar_subquery()
    over = update(WithdrawnPhone).values(withdrawn_at=clock.now() - timedelta(days=91))
    world.session.execute(over.where(WithdrawnPhone.phone_index == first))
    assert world.session.scalar(numbers) == 2
    world.erase(person)

    assert forget(world) == 1
    assert world.session.scalar(numbers) == 1
