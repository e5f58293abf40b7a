"""The commands that tickets accepts over RPC, field by field. Unknown fields are refused; texts
arrive cleaned and bounded.
"""

from typing import Any

from marshmallow import (
    Schema,
    ValidationError,
    fields,
    post_load,
    validate,
    validates_schema,
)

from chassis.screening import screen
from services.tickets import texts
from services.tickets.attributes import checked
from services.tickets.categories import TREE
from services.tickets.figures import RATES
from services.tickets.lifecycle import NO_ANSWER, UNREACHABLE

CHANNELS = (
    "page",
    "phone",
    "counter",
    "home_visit",
    "meeting",
    "fair",
    "chat_group",
    "hotline",
    "open311",
    "patrol",
)
VISIBILITIES = ("public", "private")
PRIORITIES = ("normal", "urgent")
# An address that a browser opens, and nothing that only looks like one.
_LINK = r"(?=.{1,2000}\Z)https://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?#][!#-;=?-Z\[\]_a-z~]*)?\Z"


class Text(fields.String):
    """What somebody wrote, cleaned, of at most `most` characters, with phone and ID numbers masked.
    Nothing but space counts as nothing.
    """

    default_error_messages = {
        "empty": "This must not be empty.",
        "long": "At most {most} characters.",
    }

    def __init__(self, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most = most

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        text = texts.clean(super()._deserialize(value, attr, data, **kwargs))
        if len(text) > self.most:
            raise self.make_error("long", most=self.most)
        if not text and self.required:
            raise self.make_error("empty")
        return screen(text) or None


def _optional_text(most: int) -> Text:
    return Text(most, load_default=None, allow_none=True)


class Code(fields.String):
    """A code of something: short, printable, looked up as it is."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=validate.Regexp(r"[A-Za-z0-9_.:-]{1,100}\Z"), **kwargs)


class Id(fields.UUID):
    """A UUID, as text in its usual form."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        return str(super()._deserialize(value, attr, data, **kwargs))


class _YesNo(fields.Field[str]):
    """`yes` or `no`, or one of the `others`; true and false are understood."""

    default_error_messages = {"invalid": "Must be yes or no."}

    def __init__(self, *others: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.known = ("yes", "no", *others)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        if isinstance(value, bool):
            return "yes" if value else "no"
        if value in self.known:
            return str(value)
        raise self.make_error("invalid")


class Location(Schema):
    """A point on the map, WGS 84, in degrees."""

    lat = fields.Float(required=True, validate=validate.Range(-90, 90))
    lon = fields.Float(required=True, validate=validate.Range(-180, 180))


class Person(Schema):
    """A known resident."""

    resident = Id(required=True)


class _Answers(fields.Dict):
    """Answers to a category's questions, by their codes; which fit is for the category to say."""

    def __init__(self) -> None:
        keys = fields.String(validate=validate.Length(1, 100))
        super().__init__(keys=keys, validate=validate.Length(max=50), load_default=dict)


class FileTicket(Schema):
    """What is raised, where, by whom and for whom. Without a reporter it is the caller's own, or
    nobody's when staff file it; without a visibility, its category's.
    """

    kind = fields.String(required=True, validate=validate.OneOf(["request"]))
    category = Code(required=True)
    title = _optional_text(100)
    description = Text(5000, required=True)
    attributes = _Answers()
    media_url = fields.String(load_default=None, allow_none=True, validate=validate.Regexp(_LINK))
    area = Code(required=True)
    address = _optional_text(200)
    location = fields.Nested(Location, load_default=None, allow_none=True)
    reporter = fields.Nested(Person, load_default=None, allow_none=True)
    on_behalf_of = fields.Nested(Person, load_default=None, allow_none=True)
    channel = fields.String(required=True, validate=validate.OneOf(CHANNELS))
    visibility = fields.String(
        load_default=None, allow_none=True, validate=validate.OneOf(VISIBILITIES)
    )
    priority = fields.String(
        load_default=None, allow_none=True, validate=validate.OneOf(PRIORITIES)
    )

    @post_load
    def _answered(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        category = TREE.get(data["category"])
        if category is None:
            return data  # Filing refuses it.
        return {**data, "attributes": checked(category.attributes, data["attributes"])}


class One(Schema):
    """One ticket, by its id or its number."""

    id = fields.String(required=True, validate=validate.Length(1, 64))


class Move(One):
    """A move without further words. `if_match`: the version that the caller has read."""

    if_match = fields.Integer(load_default=None, allow_none=True, strict=True)


class Refuse(Move):
    """Why it is refused, and where else its reporter may turn."""

    reason = Text(1000, required=True)
    refer_to = _optional_text(200)


class Reasoned(Move):
    """A move that must be explained."""

    reason = Text(1000, required=True)


class Assign(Move):
    """Who is to have it: a department, a person on duty, or a person of that department."""

    department = Code(load_default=None, allow_none=True)
    assignee = Id(load_default=None, allow_none=True)
    note = _optional_text(1000)

    @validates_schema
    def _someone(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if data.get("department") is None and data.get("assignee") is None:
            raise ValidationError("Name a department or an assignee.", "department")


class Resolve(Move):
    """What was done."""

    summary = Text(2000, required=True)


class FollowUp(Move):
    """The reporter's answer; for somebody who called also that there was none, or not to all."""

    solved = fields.String(
        required=True, validate=validate.OneOf(["yes", "partly", "no", UNREACHABLE])
    )
    satisfied = _YesNo(NO_ANSWER, required=True)
    contacted = _YesNo(load_default=None, allow_none=True)
    reopen = fields.Boolean(load_default=False)
    reason = _optional_text(1000)
    comment = _optional_text(2000)

    @validates_schema
    def _agrees(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if data.get("solved") == "yes" and data.get("reopen"):
            raise ValidationError("What is solved is not reopened.", "reopen")
        if data.get("solved") == UNREACHABLE:
            self._answers_nothing(data)

    def _answers_nothing(self, data: dict[str, Any]) -> None:
        said = {"satisfied": data.get("satisfied", NO_ANSWER) != NO_ANSWER}
        said |= {"contacted": data.get("contacted") is not None, "reopen": bool(data.get("reopen"))}
        faults = {name: ["Nobody was reached who could say so."] for name in said if said[name]}
        if faults:
            raise ValidationError(faults)


class Comment(One):
    """A comment for everyone who may read the ticket, or among staff (`internal`)."""

    text = Text(2000, required=True)
    visibility = fields.String(
        load_default="public", validate=validate.OneOf(["public", "internal"])
    )


class Report(One):
    """What somebody who has it says of it, from a system of their own; `done`: that it is
    solved.
    """

    text = Text(2000, required=True)
    done = fields.Boolean(load_default=False)


class Amend(Move):
    """Corrections: only the fields that are there change. `if_sequence` also compares what does not
    change the version.
    """

    if_sequence = fields.Integer(load_default=None, allow_none=True, strict=True)
    category = Code()
    title = Text(100, allow_none=True)
    location = fields.Nested(Location, allow_none=True)
    visibility = fields.String(validate=validate.OneOf(VISIBILITIES))


class Rated(One):
    """A rate of one ticket."""

    rate = fields.String(required=True, validate=validate.OneOf(RATES))


class Exclude(Rated):
    """Why it is not to count there."""

    reason = Text(1000, required=True)
