"""What comes in from outside: requests, cursors, events, callers."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from chassis.call import Actor, Call, Grant
from services.notifications import cursors, schemas
from services.notifications.access import inbox_owner, require_administrator
from services.notifications.errors import BadCursor, NoInbox, NotForYou

PERSON = uuid4()
OWN = (Grant("own", frozenset({"inbox.read"})),)


def test_a_person_reads_their_own_inbox():
    call = Call(actor=Actor(str(PERSON), "person"), grants=OWN)
    assert inbox_owner(call, "inbox.read") == PERSON


@pytest.mark.parametrize(
    "call",
    [
        Call(),
        Call(actor=Actor("water", "department"), grants=OWN),
        Call(actor=Actor("tickets", "system"), grants=OWN),
        Call(actor=Actor(str(PERSON), "person")),
        Call(actor=Actor(None, "person"), grants=OWN),
        Call(actor=Actor("not-an-id", "person"), grants=OWN),
    ],
    ids=["stranger", "department", "service", "no grant", "no id", "malformed id"],
)
def test_nobody_else_has_an_inbox(call):
    with pytest.raises(NoInbox):
        inbox_owner(call, "inbox.read")


def test_reading_an_inbox_allows_no_writing():
    with pytest.raises(NoInbox):
        inbox_owner(Call(actor=Actor(str(PERSON), "person"), grants=OWN), "inbox.write")


def test_deliveries_are_for_who_may_read_them_all():
    require_administrator(Call(grants=(Grant("any", frozenset({"deliveries.read"})),)))
    with pytest.raises(NotForYou):
        require_administrator(Call(grants=(Grant("own", frozenset({"deliveries.read"})),)))


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 201}, {"limit": "5"}, {"unread": "maybe"}, {"person": "x"}]
)
def test_a_question_that_is_malformed_is_refused(query):
    with pytest.raises(ValidationError):
        schemas.ListInbox().load(query)


@pytest.mark.parametrize("phone", ["", "12", "+86 138 0000 1234", "tel:13800001234", "1" * 21, 1])
def test_what_is_no_telephone_number_is_refused_without_being_repeated(phone):
    with pytest.raises(ValidationError) as refusal:
        schemas.SendCode().load({"phone": phone, "code": "482913"})
    assert len(str(phone)) < 3 or str(phone) not in str(refusal.value)


def test_an_event_may_have_fields_that_we_do_not_know():
    event = {"ticket": str(uuid4()), "number": "20260101-000001", "mood": "sunny"}
    assert schemas.TicketEvent().load(event).number == "20260101-000001"


@pytest.mark.parametrize(
    "event", [{}, {"ticket": "x", "number": "1"}, {"ticket": str(uuid4()), "number": ""}]
)
def test_an_event_of_a_wrong_schema_is_refused(event):
    with pytest.raises(ValidationError):
        schemas.TicketEvent().load(event)


@given(st.lists(st.integers() | st.text(), max_size=4))
def test_a_cursor_gives_back_what_it_was_made_of(key):
    readers = [int if isinstance(part, int) else str for part in key]
    assert cursors.decode(cursors.encode(key), *readers) == tuple(key)


@given(st.text(max_size=60))
def test_what_is_no_cursor_is_refused_and_never_breaks_anything(text):
    with pytest.raises(BadCursor):
        cursors.decode(text, int, int, int)
