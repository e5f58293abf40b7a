"""What residents accepts and refuses, before anything is looked up."""

import pytest
from marshmallow import ValidationError

from chassis.errors import NotFound, from_validation
from services.residents import household_schemas, schemas
from services.residents.care import schemas as care_schemas
from services.residents.personal import Personal


def pointers(schema, command):
    with pytest.raises(ValidationError) as refused:
        schema().load(command)
    return {(fault["pointer"], fault["code"]) for fault in from_validation(refused.value).errors}


def test_unknown_fields_are_refused_in_every_shape():
    shapes = [
        shape
        for module in (schemas, household_schemas, care_schemas)
        for shape in vars(module).values()
        if isinstance(shape, type) and issubclass(shape, schemas.Schema)
    ]
    assert len(shapes) > 15
    for shape in shapes:
        if shape is schemas.Schema:
            continue
        with pytest.raises((ValidationError, NotFound)) as refused:
            shape().load({"surprise": 1})
        assert "surprise" in refused.value.messages


def test_personal_values_come_out_wrapped_and_in_one_spelling():
    loaded = schemas.RegisterResident().load(
        {"name": " 王小明 ", "phone": "138 0013 1234", "id_number": "11010519491231002x"}
    )

    assert loaded["name"] == Personal("王小明")
    assert loaded["phone"] == Personal("+8613800131234")
    assert loaded["id_number"] == Personal("11010519491231002X")
    assert "13800131234" not in repr(loaded)


def test_bad_numbers_are_pointed_at_and_not_repeated():
    command = {"name": "王小明", "phone": "13800131", "id_number": "110105194912310021"}

    with pytest.raises(ValidationError) as refused:
        schemas.RegisterResident().load(command)

    invalid = from_validation(refused.value)
    assert {fault["pointer"] for fault in invalid.errors} == {"/phone", "/id_number"}
    for text in (str(refused.value), repr(refused.value), repr(invalid), str(invalid.to_wire())):
        assert "13800131" not in text
        assert "110105194912310021" not in text


@pytest.mark.parametrize("phone", [13800131234, None, True, ["13800131234"], {}])
def test_a_phone_number_is_a_text(phone):
    assert {pointer for pointer, _ in pointers(schemas.EnsureResident, {"phone": phone})} == {
        "/phone"
    }


@pytest.mark.parametrize("name", ["", " ", "x" * 51, "a\nb", "a\x00b", "\ud800", 7, None])
def test_a_name_is_one_line_of_text(name):
    assert {pointer for pointer, _ in pointers(schemas.RegisterResident, {"name": name})} == {
        "/name"
    }


def test_the_level_of_an_area_is_that_of_its_code():
    command = {"code": "340603008002.e1", "level": "grid", "name": "一号"}

    assert pointers(schemas.AddArea, command) == {("/level", "invalid_value")}


@pytest.mark.parametrize("code", ["none", "linli", "tickets", "residents", "amq"])
def test_a_department_cannot_take_a_code_that_the_broker_gives_a_meaning(code):
    assert pointers(schemas.AddDepartment, {"code": code, "name": "水务"}) == {
        ("/code", "invalid_value")
    }


@pytest.mark.parametrize("code", ["", "Water", "wa ter", "wa.ter", "水务", "water\n", "w" * 41])
def test_a_department_s_code_fits_into_a_routing_key(code):
    assert {
        pointer for pointer, _ in pointers(schemas.AddDepartment, {"code": code, "name": "水务"})
    } == {"/code"}


@pytest.mark.parametrize(
    ("schema", "command"),
    [
        (schemas.AreaRef, {"code": "34060300800"}),
        (schemas.AreaRef, {"code": "\x00"}),
        (schemas.ResidentRef, {"id": "no-uuid"}),
        (schemas.DutyRef, {"id": "019a"}),
        (schemas.DepartmentRef, {"code": "WATER\x00"}),
    ],
)
def test_an_address_that_cannot_be_is_not_found(schema, command):
    with pytest.raises(NotFound):
        schema().load(command)


@pytest.mark.parametrize("limit", [0, 201, -1, "x", None])
def test_a_page_has_1_to_200_rows(limit):
    assert {pointer for pointer, _ in pointers(schemas.ListAreas, {"limit": limit})} == {"/limit"}


def test_the_days_of_a_duty_are_called_from_and_to():
    command = {"person": "019a0000-0000-7000-8000-000000000001", "role": "clerk"}

    assert ("/from", "required") in pointers(schemas.StartDuty, command)
    assert pointers(schemas.StartDuty, command | {"from": "2026-11-01", "to": "tomorrow"}) == {
        ("/to", "invalid_value")
    }
