"""The API's field types: strict about types and spellings."""

import pytest
from marshmallow import Schema, ValidationError

import services.gateway.service  # noqa: F401 - declares the operations
from services.gateway.operation import OPERATIONS
from services.gateway.schemas import fields
from services.gateway.schemas.care_tags import NewCareTag
from services.gateway.schemas.sessions import NewApiKey, SignIn
from services.gateway.schemas.tickets import Exclusion, NewTicket, TicketQuery


def load(field, value):
    return Schema.from_dict({"it": field})().load({"it": value})["it"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (fields.Uuid(), "01a20149-d4ed-70ec-90a1-6119fac49435"),
        (fields.Moment(), "2026-11-01T08:00:00+08:00"),
        (fields.Moment(), "2026-11-01T00:00:00.123456Z"),
        (fields.Day(), "2026-02-28"),
        (fields.Flag(), True),
        (fields.count(1, 200), 200),
        (fields.count(1, 200), 1.0),
        (fields.area(), "340603008002.e1.g2.b3.u2"),
        (fields.area(), "340603008002.g2.u2"),
        (fields.line(5), " 1号 楼"),
        (fields.said(5), "a\n\u0007"),
        (fields.department(), "civil_affairs"),
        (fields.Degrees(90), -90),
        (fields.email(), "wang.fang@example.org"),
        (fields.QueryCount(1, 200), "17"),
        (fields.QueryFlag(), "true"),
    ],
)
def test_what_is_spelt_as_documented_is_taken(field, value):
    assert load(field, value) is not None


@pytest.mark.parametrize("field", [fields.Moment(), fields.Day(), fields.line(5), fields.area()])
def test_what_is_refused_for_its_spelling_is_documented_by_a_pattern(field):
    assert field.metadata["pattern"]


@pytest.mark.parametrize("name", ["sign_in", "amend_ticket", "amend_resident", "file_ticket"])
def test_a_body_that_must_say_something_must_be_there(name):
    (declared,) = (each for each in OPERATIONS if each.name == name)

    assert not declared.body_optional


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (fields.Uuid(), "{01a20149-d4ed-70ec-90a1-6119fac49435}"),
        (fields.Uuid(), "01a20149d4ed70ec90a16119fac49435"),
        (fields.Uuid(), 1),
        (fields.Moment(), "2026-11-01T08:00:00"),
        (fields.Moment(), "2026-11-01"),
        (fields.Moment(), "2026-13-01T08:00:00Z"),
        (fields.Moment(), "0001-01-01T00:00:00+14:00"),
        (fields.Moment(), "２０26-11-01T08:00:00Z"),
        (fields.email(), "wang@localhost"),
        (fields.email(), "wang@example.org\n"),
        (fields.email(), "w@" + ".".join(["example" * 8] * 5) + ".org"),
        (fields.Day(), "20260228"),
        (fields.Day(), "2026-02-30"),
        (fields.Flag(), "true"),
        (fields.Flag(), 1),
        (fields.count(1, 200), "17"),
        (fields.count(1, 200), 1.5),
        (fields.count(1, 200), True),
        (fields.area(), "340603008002.e1\n"),
        (fields.area(), "34060300800"),
        (fields.area(), "340603008002.b3.g2"),
        (fields.line(5), "  "),
        (fields.said(5), "\u0007\n\u202e "),
        (fields.line(5), "a\nb"),
        (fields.line(5), "a\u009b"),
        (fields.line(5), "a\u2028"),
        (fields.Day(), "1899-12-31"),
        (fields.department(), "Water"),
        (fields.Degrees(90), "1"),
        (fields.Degrees(90), True),
        (fields.Degrees(90), 90.5),
        (fields.QueryCount(1, 200), "1.0"),
        (fields.QueryCount(1, 200), "٣"),
        (fields.QueryCount(1, 200), "0"),
        (fields.QueryFlag(), "yes"),
        (fields.Phone(), "12345"),
        (fields.Phone(), "1-800-FLOWERS"),
        (fields.Phone(), "13800000001\n"),
    ],
)
def test_anything_else_is_refused(field, value):
    with pytest.raises(ValidationError):
        load(field, value)


@pytest.mark.parametrize("spelt", ["13800000001", "+86 138 0000 0001", "+8613800000001"])
def test_a_phone_has_one_spelling_in_the_end(spelt):
    assert load(fields.Phone(), spelt) == "+8613800000001"


@pytest.mark.parametrize(
    ("spelt", "handed_on"),
    [
        ("2026-11-01t00:00:00z", "2026-11-01T00:00:00+00:00"),
        ("2026-11-01T08:00:00.5+08:00", "2026-11-01T00:00:00.500000+00:00"),
        ("2026-11-01T00:00:00-23:59", "2026-11-01T23:59:00+00:00"),
        ("1900-01-01T00:00:00+23:59", "1899-12-31T00:01:00+00:00"),
    ],
)
def test_a_moment_is_handed_on_as_every_database_reads_it(spelt, handed_on):
    assert load(fields.Moment(), spelt) == handed_on


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        (Exclusion, {"rate": "resolution_rate", "reason": " \n"}),
        (NewCareTag, {"tag": "elder_alone", "note": " "}),
        (NewCareTag, {"tag": "elder_alone", "note": "a\nb"}),
    ],
)
def test_what_its_owner_would_refuse_is_documented_as_refused(schema, body):
    with pytest.raises(ValidationError):
        schema().load(body)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"phone": "13800000001"},
        {"login": "ann", "password": "x", "phone": "13800000001", "code": "123456"},
        {"phone": "13800000001", "password": "x"},
        {"phone": "13800000001", "code": "12345６"},
    ],
)
def test_signing_in_takes_either_way_whole(body):
    with pytest.raises(ValidationError):
        SignIn().load(body)


@pytest.mark.parametrize("owner", [{}, {"person": "x"}, {"department": "water", "person": "x"}])
def test_a_key_has_one_owner(owner):
    with pytest.raises(ValidationError):
        NewApiKey().load({"name": "x", "owner": owner, "scopes": ["import"]})


@pytest.mark.parametrize(
    "reporter", [{}, {"name": "Ann"}, {"resident": "x"}, {"phone": "13800000001", "resident": "x"}]
)
def test_a_reporter_is_given_by_phone_or_as_a_resident(reporter):
    filing = {"category": "water.other", "description": "x", "area": "340603008002"}

    with pytest.raises(ValidationError):
        NewTicket().load({**filing, "reporter": reporter})


def test_several_states_are_given_with_commas():
    assert TicketQuery().load({"state": "filed,accepted"})["state"] == ["filed", "accepted"]
