"""What callers send: queries, and forms with answers to a service's attributes, read as the
standard says. What it does not name is passed over, and what is empty counts as not given.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, post_load, validates_schema
from marshmallow import fields as base
from marshmallow.validate import Length, OneOf, Range
from werkzeug.datastructures import MultiDict

from chassis import clock
from chassis.errors import Invalid
from chassis.http import LinliRequest
from services.gateway import bodies
from services.gateway.open311 import translation
from services.gateway.schemas import fields
from services.gateway.schemas.tickets import VISIBILITIES

LONGEST_PERIOD: Final = timedelta(days=90)
# As the standard has it: the first 1000 when nothing else is said, which is the most here.
MOST, FURTHEST = 1_000, 10_000
SEVERAL = 200
_LONGEST_NAME = 50
_MOMENT = re.compile(
    r"(19|[2-8]\d)\d\d-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d))?", re.ASCII
)
_ATTRIBUTE = re.compile(r"attribute\[([^\[\]]{1,100})\](\[\])?")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class Moment(base.Field[datetime]):
    """A moment as W3C's note on date and time has it, with a zone; a day is its beginning here."""

    default_error_messages = {"invalid": "Not a moment such as 2026-11-01T08:00:00+08:00."}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> datetime:
        # A plus sign that nobody escaped has become a space.
        text = str(value).strip().replace(" ", "+").upper()
        if not _MOMENT.fullmatch(text):
            raise self.make_error("invalid")
        try:
            if "T" in text:
                return clock.parse(text)
            return datetime.fromisoformat(text).replace(tzinfo=clock.ZONE)
        except ValueError:
            raise self.make_error("invalid") from None


class Several(base.Field[list[str]]):
    """Values with commas between them, each given once or several times."""

    default_error_messages = {"many": "At most {most}.", "unknown": "Must be of: {known}."}

    def __init__(self, *known: str) -> None:
        super().__init__()
        self._known = known

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> list[str]:
        parts = [part.strip() for part in str(value).split(",")]
        found = list(dict.fromkeys(part for part in parts if part))
        if len(found) > SEVERAL:
            raise self.make_error("many", most=SEVERAL)
        if self._known and not set(found) <= set(self._known):
            raise self.make_error("unknown", known=", ".join(self._known))
        return found


class _Word(base.String):
    """One of a few words, in any case."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        return str(super()._deserialize(value, attr, data, **kwargs)).lower()


class _Asked(Schema):
    class Meta:
        unknown = EXCLUDE

    jurisdiction_id = base.String(validate=Length(max=100))


class Jurisdiction(_Asked):
    """Whose: a district, sub-district or community."""


class _Period(_Asked):
    """A page of what happened from one moment to another: the last 90 days, or 90 days from or
    until the one that is given.
    """

    start_date = Moment()
    end_date = Moment()
    page = base.Integer(load_default=1, validate=Range(1, FURTHEST))
    page_size = base.Integer(load_default=MOST, validate=Range(1, MOST))

    @validates_schema(skip_on_field_errors=True)
    def _not_too_far(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["page"] * data["page_size"] > FURTHEST:
            raise Invalid(errors=[_fault("page", "too_far", "Page less far in a shorter period.")])


class RequestsQuery(_Period):
    """Which requests. `updated_after` and `updated_before` ask for what has changed meanwhile."""

    service_request_id = Several()
    service_code = Several()
    status = Several("open", "closed")
    updated_after = Moment()
    updated_before = Moment()
    extensions = fields.QueryFlag(load_default=False)


class OneRequestQuery(_Asked):
    """One request, with what else is known of it or without."""

    extensions = fields.QueryFlag(load_default=False)


class UpdatesQuery(_Period):
    """Which updates."""

    service_request_id = Several()


class RequestForm(_Asked):
    """A request as somebody files it. `attributes` are what a form calls `attribute[code]`; e-mail
    address, device and account have no place here.
    """

    service_code = base.String(required=True, validate=Length(max=100))
    lat = base.Float(validate=Range(-90, 90))
    long = base.Float(validate=Range(-180, 180))
    address_string = base.String(validate=Length(max=200))
    address_id = fields.area()
    first_name = base.String(validate=Length(max=_LONGEST_NAME))
    last_name = base.String(validate=Length(max=_LONGEST_NAME))
    phone = fields.Phone()
    description = base.String(validate=Length(max=4000))
    media_url = fields.link()
    visibility = base.String(validate=OneOf(VISIBILITIES))
    attributes = base.Dict(load_default=dict)

    @validates_schema(skip_on_field_errors=True)
    def _somewhere(self, data: Mapping[str, Any], **_: Any) -> None:
        if ("lat" in data) != ("long" in data):
            missing = "long" if "lat" in data else "lat"
            raise Invalid(errors=[_fault(missing, "not_both", "Give both lat and long.")])
        if not data.keys() & {"lat", "address_string", "address_id"}:
            message = "Give lat and long, address_string or address_id."
            raise Invalid(errors=[_fault("address_string", "not_a_place", message)])

    @validates_schema(skip_on_field_errors=True)
    def _of_one_name(self, data: Mapping[str, Any], **_: Any) -> None:
        if "phone" in data and len(translation.name(data)) > _LONGEST_NAME:
            message = f"At most {_LONGEST_NAME} characters together with last_name."
            raise Invalid(errors=[_fault("first_name", "too_long", message)])


class UpdateForm(_Asked):
    """What a department says of a request that it has."""

    service_request_id = base.String(required=True, validate=Length(max=64))
    update_id = base.String(validate=Length(max=200))
    status = _Word(load_default="open", validate=OneOf(["open", "closed", "fixed"]))
    description = base.String(required=True, validate=Length(max=2000))

    @post_load
    def _done(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {**data, "done": data["status"] != "open"}


def query(request: LinliRequest) -> dict[str, Any]:
    """The query's parameters by name, several of one joined by commas."""
    return _given(request.args)


def form(request: LinliRequest) -> dict[str, Any]:
    """The fields of the form by name, and its `attributes` by code. Raises Invalid."""
    if request.mimetype not in _FORMS:
        message = "Send application/x-www-form-urlencoded."
        raise Invalid(errors=[_fault("Content-Type", "invalid_value", message)])
    if request.files:
        raise Invalid(errors=[_fault("media", "no_files", "Give a media_url instead of a file.")])
    sent = request.form
    answers = {found: texts for found, texts in sent.lists() if _ATTRIBUTE.fullmatch(found)}
    fields_sent = MultiDict((name, text) for name, text in sent.items() if name not in answers)
    for texts in answers.values():
        for text in texts:
            bodies.check_text("attributes", text)
    return {**_given(fields_sent), "attributes": _attributes(answers)}


def _given(sent: MultiDict[str, str]) -> dict[str, Any]:
    texts = {name: ",".join(text for text in all_ if text) for name, all_ in sent.lists()}
    for name, text in texts.items():
        bodies.check_text(name, text)
    return {name: text for name, text in texts.items() if text.strip()}


def _attributes(answers: Mapping[str, list[str]]) -> dict[str, Any]:
    """By code, the answer, or all of them where there are several."""
    found: dict[str, list[str]] = {}
    for name, texts in answers.items():
        match = _ATTRIBUTE.fullmatch(name)
        if match:
            found.setdefault(match[1], []).extend(text for text in texts if text)
    return {code: texts if len(texts) > 1 else "".join(texts) for code, texts in found.items()}


def period(
    start: datetime | None, end: datetime | None, now: datetime
) -> tuple[datetime, datetime]:
    """The moments that a period begins and ends with; raises Invalid when it is longer than the
    standard's 90 days.
    """
    if end is None:
        end = start + LONGEST_PERIOD if start else now
    if start is None:
        start = end - LONGEST_PERIOD
    if end - start > LONGEST_PERIOD:
        raise Invalid(errors=[_fault("end_date", "period_past_90_days", "90 days at most.")])
    return start, end


def place(asked: Mapping[str, Any]) -> dict[str, int]:
    """Of a page by number, where it begins and how long it is."""
    return {"limit": asked["page_size"], "offset": (asked["page"] - 1) * asked["page_size"]}


def _fault(name: str, code: str, message: str) -> dict[str, str]:
    return {"pointer": f"/{name}", "code": code, "message": message}
