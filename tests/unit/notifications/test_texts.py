"""The texts that people get."""

import re
from pathlib import Path

import pytest
from jinja2 import meta
from jinja2.sandbox import SandboxedEnvironment

from services.notifications.codes import PURPOSE as SIGN_IN_CODE
from services.notifications.news import DIGEST, Channel, purposes
from services.notifications.texts import (
    ABSENT,
    FOLDER,
    LOCALES,
    PARTS,
    CannotRender,
    Texts,
    choose_locale,
    variables_of,
)

VALUES = {
    "number": "20260101-000123",
    "department": "Water",
    "code": "482913",
    "phone": "138****1234",
    "count": 12,
    "items": ["We have received your request 20260101-000123"] * 9,
    "more": 3,
    "host": "hooks.example.org",
}
FILES = sorted(FOLDER.rglob("*.txt"))
# A digest tells of several things and has lines.
OF_NEWS = [path for path in FILES if path.relative_to(FOLDER).parts[0] != DIGEST]
HTML_FILES = sorted(FOLDER.rglob("*.html"))
SMS_FILES = [path for path in FILES if path.name == "sms.txt"]


def name(path: Path) -> str:
    return str(path.relative_to(FOLDER))


def expected(purpose: str) -> set[str]:
    """The parts that a purpose has, from the table of news."""
    if purpose == SIGN_IN_CODE:
        return {"sms.txt"}
    if purpose == DIGEST:
        return {"subject.txt", "body.txt", "body.html", "sms.txt"}
    parts = {"title.txt", "body.txt"}
    if purpose in purposes(Channel.SMS):
        parts |= {"sms.txt"}
    if purpose in purposes(Channel.EMAIL):
        parts |= {"subject.txt", "body.html"}
    return parts


def told(texts: Texts, purpose: str, locale: str, file: str, variables: object) -> str:
    """What the shipped file of a purpose says."""
    channel, part = next(
        (channel, part)
        for channel, parts in PARTS.items()
        for part, name in parts.items()
        if name == file
    )
    return texts.part(purpose, channel, part, locale, variables)


def rendered(path: Path, **values: str | None) -> str:
    purpose, locale, part = path.relative_to(FOLDER).parts
    variables = {key: VALUES[key] for key in variables_of(purpose)} | values
    return told(Texts(), purpose, locale, part, variables)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("purpose", sorted(purposes() | {DIGEST, SIGN_IN_CODE}))
def test_every_purpose_has_its_texts_in_every_language(purpose, locale):
    assert {path.name for path in (FOLDER / purpose / locale).iterdir()} == expected(purpose)


def test_no_folder_is_left_over():
    assert {path.name for path in FOLDER.iterdir()} == purposes() | {DIGEST, SIGN_IN_CODE}


@pytest.mark.parametrize("path", [*FILES, *HTML_FILES], ids=name)
def test_a_template_uses_documented_variables_only(path):
    used = meta.find_undeclared_variables(SandboxedEnvironment().parse(path.read_text("utf-8")))
    assert used <= variables_of(path.relative_to(FOLDER).parts[0])


@pytest.mark.parametrize("path", OF_NEWS, ids=name)
def test_a_template_renders_to_one_plain_line(path):
    text = rendered(path)
    assert text
    assert not re.search(r"[\n{}<>]|None", text)


@pytest.mark.parametrize("path", [*FILES, *HTML_FILES], ids=name)
def test_a_template_renders_without_what_may_be_absent(path):
    absent = dict.fromkeys(ABSENT)
    assert "None" not in rendered(path, **absent)


@pytest.mark.parametrize("path", OF_NEWS, ids=name)
def test_a_body_and_a_message_name_what_they_are_about(path):
    said = rendered(path)
    # A new number is told by SMS alone, and an inbox is nowhere to read it.
    if path.name != "title.txt" and path.parts[-3::2] != ("phone_changed", "body.txt"):
        assert any(VALUES[name] in said for name in ("number", "code", "host", "phone"))


@pytest.mark.parametrize("path", SMS_FILES, ids=name)
def test_a_message_fits_one_sms(path):
    # 70 characters of UCS-2, or 160 of GSM 03.38 (3GPP TS 23.038): a longer one costs twice.
    chinese = path.parent.name == "zh-CN"
    assert len(rendered(path)) <= (70 if chinese else 160)


@pytest.mark.parametrize("path", HTML_FILES, ids=name)
def test_the_html_of_a_mail_says_what_its_text_says(path):
    said = re.sub("<[^>]+>", "", rendered(path))
    words = rendered(path.with_suffix(".txt")).replace("\n- ", "\n")
    assert said.split() == words.split()


@pytest.mark.parametrize("locale", LOCALES)
def test_a_mail_is_framed_in_its_language(locale):
    mail = Texts().mail("ticket_filed", locale, VALUES)
    assert VALUES["number"] in mail["subject"]
    assert "\n" not in mail["subject"]
    assert f'<html lang="{locale}">' in mail["html"]
    assert f"<strong>{VALUES['number']}</strong>" in mail["html"]
    assert mail["language"] == locale
    assert ("自动发出" in mail["text"]) == (locale == "zh-CN")


def test_a_variable_cannot_break_out_of_the_html():
    mail = Texts().mail("ticket_assigned", "en", {**VALUES, "department": "<script>x</script>"})
    assert "<script>" not in mail["html"]
    assert "<script>" in mail["text"]


@pytest.mark.parametrize("path", SMS_FILES, ids=name)
def test_a_message_is_signed(path):
    assert rendered(path).startswith(("【邻里】", "[Linli] "))


@pytest.mark.parametrize("path", SMS_FILES, ids=name)
def test_a_message_says_number_state_and_next_step_and_no_more(path):
    used = meta.find_undeclared_variables(SandboxedEnvironment().parse(path.read_text("utf-8")))
    assert used in ({"number"}, {"code"}, {"count"}, {"host"}, {"phone"})


@pytest.mark.parametrize("path", [path for path in FILES if path.parent.name == "en"], ids=name)
def test_the_english_texts_are_english(path):
    assert rendered(path).isascii()


def test_a_variable_that_is_missing_is_an_error_and_not_an_empty_place():
    with pytest.raises(CannotRender):
        told(Texts(), "ticket_filed", "en", "body.txt", {})


def test_a_purpose_without_texts_is_an_error():
    with pytest.raises(CannotRender):
        told(Texts(), "no_such_purpose", "en", "body.txt", VALUES)


def test_an_error_of_a_template_names_no_value():
    with pytest.raises(CannotRender, match=r"^ticket_filed/body: UndefinedError$"):
        told(Texts(), "ticket_filed", "en", "body.txt", {"code": "482913"})


def test_a_template_cannot_reach_into_the_program(tmp_path):
    folder = tmp_path / "evil" / "en"
    folder.mkdir(parents=True)
    (folder / "body.txt").write_text("{{ number.__class__.__mro__ }}")
    with pytest.raises(CannotRender):
        told(Texts(tmp_path), "evil", "en", "body.txt", VALUES)


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("zh-CN", "zh-CN"),
        ("zh-TW", "zh-CN"),
        ("zh", "zh-CN"),
        ("en", "en"),
        ("en-GB", "en"),
        ("EN", "en"),
        ("fr", "zh-CN"),
        ("", "zh-CN"),
        (None, "zh-CN"),
    ],
)
def test_a_reader_gets_the_nearest_language_we_have(wanted, chosen):
    assert choose_locale(wanted) == chosen
