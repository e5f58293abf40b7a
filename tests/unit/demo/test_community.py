"""The community of the demo month: as large as it says, and the same every time."""

from collections import Counter

from deploy.demo import community, plan
from services.residents import area_codes, identifiers

HOUSEHOLDS = list(community.households())
PEOPLE = [person for household in HOUSEHOLDS for person in household.people]


def test_it_has_nine_estates_eleven_hundred_households_and_three_thousand_people():
    levels = Counter(area_codes.level(code) for code in community.places())

    assert levels["estate"] == 9
    assert len(HOUSEHOLDS) == 1_100
    assert len(PEOPLE) == 3_000


def test_it_is_the_same_every_time():
    assert list(community.households()) == HOUSEHOLDS


def test_every_household_is_behind_a_door_of_its_own():
    assert len({(household.area, household.door) for household in HOUSEHOLDS}) == 1_100
    assert {household.area for household in HOUSEHOLDS} <= set(community.places())


def test_nobody_shares_a_number():
    ids = [person.id_number for person in PEOPLE]
    phones = [person.phone for person in [*PEOPLE, *community.staff()] if person.phone]

    assert len(set(ids)) == 3_000
    assert [identifiers.id_number(number) for number in ids] == ids
    assert len(set(phones)) == len(phones)


def test_every_area_has_its_parent():
    places = community.places()

    assert all(
        parent in places for code in places if (parent := area_codes.parent(code)) is not None
    )


def test_each_issue_is_raised_behind_another_door_of_its_building():
    issues = plan.issues()
    reporters = community.reporters(issues)

    assert len({person.phone for person in reporters.values()}) == 60
    for issue in issues:
        assert reporters[issue.reporter].area.startswith(community.building(issue.building) + ".")
