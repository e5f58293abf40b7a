"""What the wall is told of a call."""

import pytest

from chassis.call import Actor, Call, Grant, system_call
from chassis.walls import EVERYTHING
from services.residents import wall

COMMUNITY, OTHER = "340603008002", "340603008003"
PERSON = "01a2170b-cde6-7755-97a8-135c988626d5"


def call(*grants: tuple[str, str]) -> Call:
    made = tuple(Grant(reach, frozenset({operation})) for reach, operation in grants)
    return Call(actor=Actor(PERSON, "person"), grants=made, command_id="c1")


def test_a_place_is_told_as_the_community_around_it() -> None:
    told = wall.settings(
        call((f"area:{COMMUNITY}.e1.g2", "residents.read"), (f"area:{OTHER}", "care_tags.read"))
    )

    assert told == {
        "communities": f"{COMMUNITY},{OTHER}",
        "places": "340603.008.002.,340603.008.003.",
        "caring": "340603.008.003.",
        "departments": "",
        "person": PERSON,
        "actor": PERSON,
        "imports": "",
        "command": "c1",
    }


@pytest.mark.parametrize("reach", ["any", "area:340603000000", "area:340603008000"])
def test_whoever_serves_more_than_a_community_sees_everything(reach: str) -> None:
    assert wall.settings(call((reach, "households.read"))) == EVERYTHING


def test_our_own_services_see_everything() -> None:
    assert wall.settings(system_call("tickets")) == EVERYTHING


@pytest.mark.parametrize("operation", ["areas.read", "departments.read", "file", "read", "import"])
def test_what_needs_nobody_s_data_opens_nothing(operation: str) -> None:
    told = wall.settings(call(("any", operation), (f"area:{COMMUNITY}", operation)))

    assert (told["communities"], told["places"]) == ("", "")


def test_nobody_is_told_nothing() -> None:
    assert not any(wall.settings(Call()).values())


def test_who_may_import_places_everywhere_sees_all_such_imports() -> None:
    assert wall.settings(call(("any", "areas.write")))["imports"] == "areas"
