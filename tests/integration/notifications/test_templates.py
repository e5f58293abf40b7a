"""Templates that people edit: what holds, every version, and the way back."""

from uuid import uuid4

import pytest
from sqlalchemy import text

from chassis.clock import now
from chassis.errors import Invalid, NotFound
from services.notifications import templates
from services.notifications.texts import Texts

KEY = ("ticket_filed", "sms", "en")
FIRST, SECOND = ({"text": f"[Linli] {word} {{{{ number }}}}"} for word in ("One", "Two"))


@pytest.fixture(autouse=True)
def _as_shipped(session):
    session.execute(text("DELETE FROM edited"))
    session.commit()
    yield
    session.execute(text("DELETE FROM edited"))
    session.commit()


def edit(session, parts, by="somebody"):
    templates.write(session, KEY, parts, by, now())
    session.commit()
    return templates.read(session, Texts(), KEY)


def test_until_somebody_edits_it_a_template_is_as_shipped(session):
    shown = templates.read(session, Texts(), KEY)
    assert shown["is_shipped"]
    assert shown["parts"] == shown["shipped"]
    assert shown["versions"] == []
    assert shown["variables"] == ["department", "number"]


def test_every_version_is_kept_with_who_and_when(session):
    editor = str(uuid4())
    edit(session, FIRST, editor), edit(session, SECOND)
    shown = edit(session, None)
    assert shown["is_shipped"]
    assert shown["parts"] == shown["shipped"]
    told = [(each["version"], each["parts"], each["is_shipped"]) for each in shown["versions"]]
    assert told == [(3, None, True), (2, SECOND, False), (1, FIRST, False)]
    assert shown["versions"][-1]["by"] == editor


def test_saying_the_same_again_makes_no_version(session):
    edit(session, FIRST)
    assert len(edit(session, FIRST)["versions"]) == 1


def test_what_is_at_fault_is_pointed_at_with_its_line_and_nothing_is_kept(session):
    with pytest.raises(Invalid) as refusal:
        templates.write(session, KEY, {"text": "{{ number }}\n{{ name }}"}, None, now())
    session.rollback()
    [fault] = refusal.value.errors
    assert (fault["pointer"], fault["code"]) == ("/parts/text/2", "unknown_variable")
    assert templates.read(session, Texts(), KEY)["is_shipped"]


@pytest.mark.parametrize(
    "key",
    [
        ("weather", "sms", "en"),
        ("ticket_filed", "fax", "en"),
        ("ticket_filed", "sms", "fr"),
        ("task_assigned", "sms", "en"),
        ("sign_in_code", "email", "en"),
    ],
)
def test_what_is_told_by_no_such_channel_has_no_template(key):
    with pytest.raises(NotFound):
        templates.key_of(dict(zip(("purpose", "channel", "locale"), key, strict=True)))


def test_an_edited_template_is_what_people_get(session, office, story, standin):
    story.phone = office.residents.knows(story.reporter, locale="en")
    edit(session, FIRST)
    office.edited(templates.custom(session))
    office.hear(story.event("filed"))
    office.round()
    assert standin.texts(story.phone) == [f"[Linli] One {story.facts['number']}"]
