import json

from marshmallow import Schema, ValidationError, fields

from chassis import errors


class IllegalMove(errors.Conflict):
    """The move is not possible from this state.

    More that is for programmers.
    """

    code = "illegal_move"


def test_the_first_line_of_a_docstring_is_the_default_message() -> None:
    assert IllegalMove().detail == "The move is not possible from this state."


def test_an_error_survives_the_wire_with_kind_code_and_parameters() -> None:
    sent = IllegalMove(from_="filed", move="work", errors=[{"pointer": "/a", "code": "b"}])

    got = errors.from_wire(json.loads(json.dumps(sent.to_wire())))

    assert isinstance(got, errors.Conflict)
    assert (got.code, got.params) == ("illegal_move", {"from": "filed", "move": "work"})
    assert got.errors == sent.errors
    assert got.to_wire() == sent.to_wire()


def test_an_unknown_kind_becomes_an_internal_error() -> None:
    got = errors.from_wire({"kind": "from the future", "code": "new"})

    assert type(got) is errors.ServiceError
    assert got.code == "new"


def test_validation_messages_become_pointers() -> None:
    class Place(Schema):
        lat = fields.Float(required=True)

    class Command(Schema):
        title = fields.String(required=True)
        location = fields.Nested(Place)
        tags = fields.List(fields.Integer())

    try:
        Command().load({"location": {}, "tags": [1, "x"], "a/b~c": 1})
    except ValidationError as invalid:
        found = errors.from_validation(invalid).errors

    pointers = {error["pointer"]: error["code"] for error in found}
    assert pointers == {
        "/title": "required",
        "/location/lat": "required",
        "/tags/1": "invalid_value",
        "/a~1b~0c": "unknown_field",
    }
