"""What categories ask besides, and which answers are kept."""

import pytest

from chassis.errors import Invalid
from chassis.screening import Screened, masked_in
from services.tickets.attributes import DATATYPES, checked, of
from services.tickets.categories import TREE, parse

LINE = {"code": "line", "datatype": "string", "description": ["行", "Line"]}
CHOICE = {
    "code": "choice",
    "datatype": "singlevaluelist",
    "description": ["选", "Choice"],
    "values": [["a", "甲", "A"], ["b", "乙", "B"]],
}
KINDS = of(
    "test",
    [
        LINE,
        {**LINE, "code": "text", "datatype": "text"},
        {**LINE, "code": "number", "datatype": "number"},
        {**LINE, "code": "moment", "datatype": "datetime"},
        CHOICE,
        {**CHOICE, "code": "choices", "datatype": "multivaluelist"},
    ],
)
ASKED = [attribute for category in TREE for attribute in category.attributes]


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        ({"line": " a\u202eb "}, {"line": "ab"}),
        ({"line": 12}, {"line": "12"}),
        ({"text": "one\r\ntwo"}, {"text": "one\ntwo"}),
        ({"number": "12"}, {"number": 12}),
        ({"number": "-1.5"}, {"number": -1.5}),
        ({"number": 3}, {"number": 3}),
        (
            {"moment": "2026-11-01t00:00:00z"},
            {"moment": "2026-11-01T08:00:00.000000+08:00"},
        ),
        ({"choice": "a"}, {"choice": "a"}),
        ({"choices": "a"}, {"choices": ["a"]}),
        ({"choices": ["b", "a"]}, {"choices": ["b", "a"]}),
        ({"line": "", "choice": None, "choices": []}, {}),
    ],
)
def test_an_answer_is_kept_as_what_was_asked_for(answer, kept):
    assert checked(KINDS, answer) == kept


@pytest.mark.parametrize(
    "answer",
    [
        {"line": "one\ntwo"},
        {"line": "x" * 201},
        {"line": True},
        {"line": ["a"]},
        {"line": "\u202e\x07"},
        {"text": "x" * 2001},
        {"number": "twelve"},
        {"number": True},
        {"number": float("inf")},
        {"number": 10**15},
        {"number": "1e5"},
        {"moment": "2026-11-01"},
        {"moment": "2026-11-01T08:00:00"},
        {"moment": "2026-13-01T08:00:00Z"},
        {"moment": "0001-01-01T00:00:00+14:00"},
        {"moment": 12},
        {"choice": "c"},
        {"choice": ["a"]},
        {"choices": ["a", "a"]},
        {"choices": ["a", 1]},
    ],
)
def test_what_is_no_such_answer_is_refused(answer):
    with pytest.raises(Invalid) as refused:
        checked(KINDS, answer)

    (fault,) = refused.value.errors
    (code,) = answer
    assert (fault["pointer"], fault["code"]) == (f"/attributes/{code}", "invalid_value")


def test_all_faults_are_named_at_once():
    must = of("test", [{**LINE, "required": True}, CHOICE])

    with pytest.raises(Invalid) as refused:
        checked(must, {"wine": "red", "choice": "c"})

    assert {(fault["pointer"], fault["code"]) for fault in refused.value.errors} == {
        ("/attributes/wine", "unknown_attribute"),
        ("/attributes/line", "required"),
        ("/attributes/choice", "invalid_value"),
    }


def test_a_phone_number_in_an_answer_is_masked_and_told():
    kept = checked(KINDS, {"text": "Call 13800001234", "line": "3"})

    assert kept["text"] == "Call 138****1234"
    assert isinstance(kept["text"], Screened)
    assert masked_in({"attributes": kept, "description": "fine"}) == ["attributes"]


@pytest.mark.parametrize("attribute", ASKED, ids=lambda each: each.code)
def test_what_ships_is_asked_in_both_languages(attribute):
    assert attribute.datatype in DATATYPES
    told = [attribute.descriptions, *attribute.values.values()]
    assert all(set(each) == {"zh", "en"} for each in told)


def test_what_ships_is_required_of_hardly_anybody():
    """Whoever is on the phone may not know."""
    required = {
        category.code for category in TREE if any(each.required for each in category.attributes)
    }

    assert required == {"consumer.broadband"}


@pytest.mark.parametrize(
    "entry",
    [
        {**LINE, "code": "Line"},
        {**LINE, "datatype": "colour"},
        {**LINE, "required": "yes"},
        {**LINE, "description": ["行"]},
        {**LINE, "default": "x"},
        {**LINE, "values": [["a", "甲", "A"]]},
        {**CHOICE, "values": []},
        {**CHOICE, "values": [["a", "甲"]]},
    ],
)
def test_a_wrong_attribute_is_refused(entry):
    with pytest.raises(ValueError, match="test, attribute 1"):
        of("test", [entry])


def test_an_attribute_twice_or_of_no_category_is_refused():
    with pytest.raises(ValueError, match="twice"):
        of("test", [LINE, LINE])
    tree = '[water]\nname = ["水", "Water"]\n'
    with pytest.raises(ValueError, match="no category"):
        parse(f'{tree}[[attributes."water.wine"]]\ncode = "a"\n')


def test_what_is_about_somebodys_own_affairs_is_private_where_nobody_is_asked():
    private = {category.code for category in TREE if category.visibility == "private"}

    assert {"welfare.hardship", "neighbours.family", "safety.fraud"} <= private
    assert not private & {"water.no_supply", "roads.pothole", "sanitation.garbage"}
