"""The events of residents. Each carries the whole current record, so that a reader keeps the one
with the highest `sequence`.
"""

from marshmallow import Schema, fields

from chassis.events import EventSchema


def _says(description: str) -> dict[str, str]:
    """A field's line in docs/events.md and in its JSON Schema."""
    return {"description": description}


class Names(Schema):
    """One name in several languages; `zh` is always there."""

    zh = fields.String(required=True)
    en = fields.String()


class _Area(EventSchema):
    source = "/residents"

    code = fields.String(required=True)
    name = fields.String(required=True)
    names = fields.Nested(Names, required=True)
    level = fields.String(required=True, metadata=_says("from `district` down to `unit`"))
    parent = fields.String(
        required=True, allow_none=True, metadata=_says("code of the nearest place above")
    )
    path = fields.List(
        fields.String(), required=True, metadata=_says("codes from the district to its own")
    )
    routing = fields.String(required=True, metadata=_says("its tiers in routing keys"))


class AreaAdded(_Area):
    """A place joined the area tree; `path` holds the codes from the district down to its own."""

    type = "linli.residents.area_added.v1"


class AreaRenamed(_Area):
    """A place has a new name; its code and its position stay."""

    type = "linli.residents.area_renamed.v1"


class _Department(EventSchema):
    source = "/residents"

    code = fields.String(required=True)
    name = fields.String(required=True)
    names = fields.Nested(Names, required=True)
    active = fields.Boolean(required=True, metadata=_says("whether it can be given tickets"))


class DepartmentAdded(_Department):
    """A department can be given tickets from now on."""

    type = "linli.residents.department_added.v1"


class DepartmentChanged(_Department):
    """A department was renamed, closed (`active` is false) or opened again."""

    type = "linli.residents.department_changed.v1"


class _Duty(EventSchema):
    source = "/residents"

    duty = fields.UUID(required=True)
    person = fields.UUID(required=True)
    role = fields.String(required=True)
    area = fields.String(required=True, allow_none=True)
    department = fields.String(required=True, allow_none=True)
    starts = fields.Date(required=True, data_key="from", metadata=_says("first day, in +08:00"))
    ends = fields.Date(
        required=True, allow_none=True, data_key="to", metadata=_says("last day; null: open")
    )


class DutyStarted(_Duty):
    """A person was given a role from the day `from` to the day `to` (null: open), both included, in
    +08:00.
    """

    type = "linli.residents.duty_started.v1"


class DutyEnded(_Duty):
    """An open duty was given its last day `to`, which may lie ahead; nothing more is said when that
    day has passed.
    """

    type = "linli.residents.duty_ended.v1"


class DutyChanged(_Duty):
    """A duty that had a last day was given another one, or none."""

    type = "linli.residents.duty_changed.v1"


class _Resident(EventSchema):
    source = "/residents"

    resident = fields.UUID(required=True)


class ResidentRegistered(_Resident):
    """A person became known, by registration or by signing in for the first time."""

    type = "linli.residents.resident_registered.v1"


class ResidentAmended(_Resident):
    """What is recorded of a person has changed."""

    type = "linli.residents.resident_amended.v1"


class ResidentPhoneWithdrawn(_Resident):
    """The number that a person signed in by is theirs no more: what was opened with it is over."""

    type = "linli.residents.resident_phone_withdrawn.v1"


class ResidentPhoneChanged(_Resident):
    """Somebody else gave a person another number than they had, or took it: the number before shall
    be told, which is known by `change` for three days.
    """

    type = "linli.residents.resident_phone_changed.v1"

    change = fields.UUID(required=True)


class ResidentErased(_Resident):
    """Who a person is was forgotten for good: whoever keeps something of theirs removes it."""

    type = "linli.residents.resident_erased.v1"


class _Stay(_Resident):
    household = fields.UUID(required=True)
    area = fields.String(required=True, metadata=_says("where the household is"))
    registered = fields.Boolean(
        required=True, metadata=_says("whether it is their registered residence")
    )
    starts = fields.Date(required=True, data_key="from", metadata=_says("first day, in +08:00"))
    ends = fields.Date(
        required=True, allow_none=True, data_key="to", metadata=_says("last day; null: lives there")
    )


class ResidentMovedIn(_Stay):
    """A person lives in a household from the day `from` on, or did to the day `to`."""

    type = "linli.residents.resident_moved_in.v1"


class ResidentMovedOut(_Stay):
    """A stay was given its last day `to`, or another one."""

    type = "linli.residents.resident_moved_out.v1"


class _Household(EventSchema):
    source = "/residents"

    household = fields.UUID(required=True)
    area = fields.String(required=True, metadata=_says("where its door is"))
    grid = fields.String(
        required=True, allow_none=True, metadata=_says("null where there are no grids")
    )
    building = fields.String(
        required=True, allow_none=True, metadata=_says("null where there are no buildings")
    )
    tenure = fields.String(
        required=True, metadata=_says("`owned`, `rented`, `public`, `collective` or `other`")
    )
    starts = fields.Date(required=True, data_key="from", metadata=_says("first day, in +08:00"))
    ends = fields.Date(
        required=True, allow_none=True, data_key="to", metadata=_says("last day; null: open")
    )
    recorded_at = fields.AwareDateTime(
        required=True, allow_none=True, metadata=_says("when people were first recorded in it")
    )


class HouseholdRegistered(_Household):
    """A dwelling became known, whether or not anybody has been recorded in it."""

    type = "linli.residents.household_registered.v1"


class HouseholdAmended(_Household):
    """What is recorded of a household has changed: its place, its tenure, or what no event says."""

    type = "linli.residents.household_amended.v1"


class HouseholdClosed(_Household):
    """A household was given its last day `to`, for good."""

    type = "linli.residents.household_closed.v1"
