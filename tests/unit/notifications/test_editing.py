"""What an edited template may say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.choices import all_channels
from services.notifications.editing import MOST_SEGMENTS, Fault, faults, rendered, segments
from services.notifications.texts import LOCALES, PARTS, Texts

EVERY = [
    (purpose, channel, locale)
    for purpose, channels in all_channels().items()
    for channel in channels
    for locale in LOCALES
]
SMS = ("ticket_filed", "sms", "en")


def of_sms(text):
    return faults(*SMS, {"text": text})


@pytest.mark.parametrize("key", EVERY, ids="/".join)
def test_what_was_shipped_could_have_been_edited(key):
    assert faults(*key, Texts().shipped(*key)) == []


def test_a_text_with_its_variables_is_fine():
    assert of_sms("[Linli] {{ number }} is registered{% if department %}.{% endif %}") == []


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ("{{ number }}\n{{ phone }}", 2, "unknown_variable"),
        ("{{ number }}\n\n{{ number", 3, "template_syntax"),
        ("{% if %}{{ number }}", 1, "template_syntax"),
        ("{{ number }}\n{{ number.__class__ }}", 2, "not_in_templates"),
        ("{{ number }}{{ number() }}", 1, "not_in_templates"),
        ("{{ number }}{{ 'x' * 1000000000 }}", 1, "not_in_templates"),
        ("{{ number }}\n{% include 'sign_in_code/en/sms.txt' %}", 2, "not_in_templates"),
        ("{{ number }}{% for x in range(9) %}{% endfor %}", 1, "not_in_templates"),
        ("{{ number }}{% for x in number %}{{ x }}{% endfor %}", 1, "not_in_templates"),
        ("{{ number }}{% set x = 1 %}", 1, "not_in_templates"),
        ("{{ number|attr('x') }}", 1, "not_in_templates"),
        ("Your request is registered.", None, "missing_variable"),
        ("  ", None, "empty_part"),
        ("{{ number }}" + "x" * 400, None, "too_many_segments"),
        ("{{ number }}" + "x" * 3000, None, "too_long"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text, line, code):
    assert Fault("text", line, code) in of_sms(text)


@pytest.mark.parametrize(
    ("channel", "part"), [("sms", "text"), ("email", "html"), ("inbox", "body")]
)
def test_what_is_said_of_a_department_alone_is_not_said_by_most(channel, part):
    only = "{% if department %}{{ number }} is with {{ department }}{% endif %}"
    parts = dict.fromkeys(PARTS[channel], "{{ number }}") | {part: only}

    assert Fault(part, None, "missing_variable") in faults("ticket_assigned", channel, "en", parts)


def test_a_title_must_say_something_also_where_there_is_no_department():
    parts = {"title": "{% if department %}{{ department }}{% endif %}", "body": "{{ number }}"}

    found = faults("ticket_assigned", "inbox", "en", parts)

    assert found == [Fault("title", None, "empty_part")]


def test_a_department_that_nobody_asks_for_is_pointed_out():
    found = of_sms("{{ number }} is with {{ department }}")

    assert found == [Fault("text", None, "absent_variable")]


def test_a_preview_by_sms_names_no_department_for_no_message_does():
    text = "{{ number }}{% if department %} is with {{ department }}{% endif %}"

    assert rendered("ticket_assigned", "sms", "en", {"text": text})["text"] == "20260801-000042"


def test_each_channel_has_its_parts():
    assert faults(*SMS, {}) == [Fault("text", None, "missing_part")]
    surplus = faults(*SMS, {"text": "{{ number }}", "html": "{{ number }}"})
    assert surplus == [Fault("html", None, "unknown_part")]


def test_a_code_that_is_not_said_signs_nobody_in():
    found = faults("sign_in_code", "sms", "en", {"text": "Welcome."})
    assert found == [Fault("text", None, "missing_variable")]


def test_what_is_edited_in_html_is_escaped_where_it_is_not_ours():
    parts = {"subject": "{{ number }}", "text": "{{ number }}", "html": "<b>{{ department }}</b>"}
    texts = Texts(custom={("ticket_assigned", "email", "en"): parts})
    said = texts.mail("ticket_assigned", "en", {"number": "1", "department": "<i>x</i>"})
    assert "<b>&lt;i&gt;x&lt;/i&gt;</b>" in said["html"]


def test_what_is_edited_in_one_language_leaves_the_other():
    texts = Texts().with_custom({SMS: {"text": "edited {{ number }}"}})
    assert texts.sms("ticket_filed", "en", {"number": "1"}) == {"text": "edited 1"}
    assert "已登记" in texts.sms("ticket_filed", "zh-CN", {"number": "1"})["text"]


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("x" * 306, 2),
        ("x" * 307, 3),
        ("字" * 70, 1),
        ("字" * 71, 2),
    ],
)
def test_a_text_takes_so_many_short_messages(text, taken):
    assert segments(text) == taken


@given(st.text(max_size=300), st.sampled_from(EVERY))
def test_whatever_passes_renders_and_nothing_else_is_raised(text, key):
    parts = dict.fromkeys(PARTS[key[1]], text)
    if not faults(*key, parts):
        said = rendered(*key, parts)
        assert key[1] != "sms" or segments(said["text"]) <= MOST_SEGMENTS
