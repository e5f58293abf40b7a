"""Open311's words for ours and ours for its: formats, forms, errors and translations."""

import json
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from marshmallow import ValidationError
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from chassis.errors import Invalid
from services.gateway.open311 import formats, forms, translation, words
from services.gateway.open311.formats import Document
from services.gateway.open311.refusals import parameter
from services.gateway.schemas.tickets import STATES

NOW = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)
NAMED = {"zh": "停水", "en": "No water"}
GROUP = {"code": "water", "parent": None, "name": "Water", "names": NAMED, "attributes": []}


def request(path="/open311/v2/requests", accept="", **form):
    headers = {"Accept": accept} if accept else None
    return Request(
        EnvironBuilder(path=path, method="POST", data=form, headers=headers).get_environ()
    )


def asked(schema, **given):
    return schema().load(given)


@pytest.mark.parametrize(
    ("path", "accept", "wanted"),
    [
        ("/a.json", "text/xml", "json"),
        ("/a.xml", "application/json", "xml"),
        ("/water.no_supply", "application/json", "json"),
        ("/a", "", "xml"),
        ("/a", "*/*", "xml"),
        ("/a", "application/json;q=0.1, application/xml", "xml"),
        ("/a", "image/png", "xml"),
    ],
)
def test_the_format_is_the_endings_or_what_is_accepted(path, accept, wanted):
    assert formats.format_of(request(path, accept)) == wanted


def test_only_the_ending_of_a_format_is_taken_off():
    told = [formats.bare(text) for text in ("water.no_supply.json", "water.no_supply", ".xml")]

    assert told == ["water.no_supply", "water.no_supply", ".xml"]


def test_both_formats_hold_the_same():
    value = {
        "endpoints": [{"url": "https://a.example", "formats": ["text/xml"]}],
        "changeset": None,
        "on": True,
        "many": 3,
    }
    document = Document("discovery", value)

    assert json.loads(formats.as_json(document)) == value
    assert formats.as_xml(document).decode() == (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        "<discovery><endpoints><endpoint><url>https://a.example</url>"
        "<formats><format>text/xml</format></formats></endpoint></endpoints>"
        "<changeset /><on>true</on><many>3</many></discovery>"
    )


@pytest.mark.parametrize("text", ["<a>&amp;]]></a>", "\x00\x0b\ufffe\ud800 停水 🚰", "'\"\n\t"])
def test_no_text_breaks_xml(text):
    written = formats.as_xml(Document("services", [{"description": text}]))

    read = ElementTree.fromstring(written).findtext("service/description")  # noqa: S314
    kept = {"\x00", "\x0b", "\ufffe", "\ud800"}
    assert read == "".join("\ufffd" if each in kept else each for each in text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01T12:00:00+08:00", NOW),
        ("2026-11-01T04:00:00Z", NOW),
        ("2026-11-01t04:00:00.000z", NOW),
        ("2026-11-01T04:00Z", NOW),
        ("2026-11-01T12:00:00 08:00", NOW),  # A plus sign in a query, not escaped.
        ("2026-11-02", NOW + timedelta(hours=12)),
    ],
)
def test_moments_are_read_as_w3c_has_them(text, moment):
    assert asked(forms.RequestsQuery, start_date=text)["start_date"] == moment


def test_a_period_is_ninety_days_at_most():
    long = 90 * DAY
    assert forms.period(None, None, NOW) == (NOW - long, NOW)
    assert forms.period(NOW - DAY, None, NOW) == (NOW - DAY, NOW - DAY + long)
    assert forms.period(None, NOW - DAY, NOW) == (NOW - DAY - long, NOW - DAY)
    assert forms.period(NOW - long, NOW, NOW) == (NOW - long, NOW)
    with pytest.raises(Invalid):
        forms.period(NOW - long - DAY, NOW, NOW)


def test_a_page_has_a_place_and_none_is_too_far():
    far = asked(forms.RequestsQuery, page="50", page_size="200")

    assert forms.place(far) == {"limit": 200, "offset": 9800}
    with pytest.raises(Invalid):
        asked(forms.RequestsQuery, page="51", page_size="200")


@pytest.mark.parametrize("query", [forms.RequestsQuery, forms.UpdatesQuery])
def test_a_page_is_the_standards_first_thousand_and_never_more(query):
    assert forms.place(asked(query)) == {"limit": 1000, "offset": 0}
    with pytest.raises(ValidationError):
        asked(query, page_size="1001")


def test_lists_are_given_with_commas_or_several_times_and_what_is_empty_is_not_given():
    sent = EnvironBuilder(query_string="status=open&status=closed,open&page=&wine=red")
    given = forms.query(Request(sent.get_environ()))

    found = asked(forms.RequestsQuery, **given)
    assert found["status"] == ["open", "closed"]
    assert found["page"] == 1
    assert "wine" not in found


def test_attributes_are_read_out_of_a_form():
    sent = {
        "attribute[since]": "2026-11-01T06:00:00+08:00",
        "attribute[signs][]": ["colour", "", "taste"],
        "attribute[one][]": "smell",
        "attribute[none]": "",
        "attribute": "nothing",
        "description": "a, b",
    }

    found = forms.form(request(**sent))

    assert found["attributes"] == {
        "since": "2026-11-01T06:00:00+08:00",
        "signs": ["colour", "taste"],
        "one": "smell",
        "none": "",
    }
    assert found["description"] == "a, b"


@pytest.mark.parametrize(
    ("given", "family", "name"),
    [
        ("芳", "王", "王芳"),
        ("Fang", "Wang", "Fang Wang"),
        ("", "王", "王"),
        ("Fang", "", "Fang"),
    ],
)
def test_a_name_is_written_as_its_language_does(given, family, name):
    form = {"service_code": "a.b", "phone": "+8613800001234"}
    filing = translation.filing({**form, "first_name": given, "last_name": family}, "1")

    assert filing["reporter"] == {"name": name, "phone": "+8613800001234"}
    assert "name" not in translation.filing(form, "1")["reporter"]
    assert "reporter" not in translation.filing({"service_code": "a.b", "first_name": "A"}, "1")


def test_every_state_is_open_or_closed_and_has_words_in_both_languages():
    told = {state: words.status(state) for state in STATES}

    assert {state for state in STATES if told[state] == "open"} == {
        *("filed", "accepted", "assigned", "in_progress"),
    }
    assert sorted(words.states(["open", "closed"])) == sorted(STATES)
    for locale in ("zh-CN", "en"):
        assert len({words.notes(state, locale) for state in STATES}) == len(STATES)


def test_moments_are_told_without_fractions():
    change = {"ticket": "t", "sequence": 3, "state": "closed", "text": None}

    for moment in ("2026-11-01T08:00:00.123456+08:00", "2026-11-01T08:00:00+08:00"):
        told = translation.update({**change, "recorded_at": moment}, "en")
        assert told["updated_datetime"] == "2026-11-01T08:00:00+08:00"
        assert (told["update_id"], told["description"]) == ("t-3", "Closed")


def test_a_service_without_questions_needs_no_definition():
    leaf = {**GROUP, "code": "water.no_supply", "parent": "water", "name": "No water"}

    (service,) = translation.services([GROUP, leaf])

    assert (service["metadata"], service["group"]) == (False, "Water")
    assert translation.definition(leaf) == {"service_code": "water.no_supply", "attributes": []}


@pytest.mark.parametrize(
    ("pointer", "name"),
    [
        ("/category", "service_code"),
        ("/location/lon", "long"),
        ("/attributes/since", "attribute[since]"),
        ("/categories/0", "service_code"),
        ("/ids/12", "service_request_id"),
        ("/name", "first_name"),
        ("/page", "page"),
        ("", ""),
    ],
)
def test_a_fault_is_told_by_the_standards_name(pointer, name):
    assert parameter(pointer) == name
